#pragma once
// What Go's race detector prints: two accesses to one place in memory that nothing orders.
//
// Source of truth: PrintReport for Go, tsan_report.cpp (LLVM compiler-rt), as linked by
// go1.19–1.27.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "weir/dump/goroutine_text.h"

namespace weir::dump {

/// "Previous write at 0x00c00001 by goroutine 7:" and its stack.
struct RaceAccess {
  std::string_view what;  ///< "Write", "Previous read", "Previous atomic write"
  /// The detector's own number, which is not the goroutine's id; nothing: the main goroutine.
  std::optional<std::uint64_t> thread;
  std::vector<Frame> frames;   ///< innermost first; empty: the detector no longer knew it
  std::vector<Frame> created;  ///< where the goroutine was started, likewise
};

/// The newer access first. Views point into the text.
struct RaceReport {
  std::vector<RaceAccess> accesses;
};

/// The first report in `text`, whatever stands around it. Nothing if there is none, or if it is cut
/// before the second access.
std::optional<RaceReport> parse_race_report(std::string_view text);

}  // namespace weir::dump
