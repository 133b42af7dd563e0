#pragma once
// One goroutine dump as plain values, and how two of them differ: what the oracle compares.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::live {

struct ObservedFrame {
  std::string function;
  std::string place;  ///< "file:line"
  bool inlined = false;
  bool foreign = false;
  std::optional<std::uint64_t> offset;
};

struct ObservedGoroutine {
  std::string state;
  bool locked = false;
  std::vector<ObservedFrame> frames;
  std::optional<std::size_t> elided_at;        ///< frames before the elision
  std::optional<std::uint64_t> elided_frames;  ///< how many, when printed
  std::string creator;                         ///< "main.f in goroutine 1 at file:line +0x1d"
};

/// By goroutine number; the schedulers' stacks ("goroutine 0") are left out.
using ObservedDump = std::map<std::uint64_t, ObservedGoroutine>;

ObservedDump observe(std::string_view text);

struct Comparison {
  std::size_t goroutines = 0;  ///< in either
  std::size_t equal = 0;
  std::size_t frames = 0;                ///< of `truth`
  std::vector<std::string> differences;  ///< one a line, "goroutine 7: …"
};

/// Holds `seen` (weir's dump) against `truth` (the runtime's own). Where the runtime elides frames,
/// the ones it prints must stand at the same ends and the number it gives must fit.
Comparison compare(const ObservedDump& truth, const ObservedDump& seen);

}  // namespace weir::live
