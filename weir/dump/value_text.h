#pragma once
// The legacy text of profiles with values: debug/pprof/heap, allocs, mutex and block with debug=1.
//
// Source of truth: writeHeapInternal and writeProfileInternal in src/runtime/pprof/pprof.go,
// go1.19–1.27.
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "weir/dump/count_text.h"

namespace weir::dump {

/// What the lines before the first record say.
struct ValueTitle {
  bool is_heap = false;                ///< else contentions, of a mutex or a block profile
  std::int64_t rate = 0;               ///< heap: bytes between two samples; 0 if not told
  std::int64_t cycles_per_second = 0;  ///< contentions
  std::int64_t period = 1;             ///< contentions: one of so many was kept
};

/// Heap: objects and bytes in use, objects and bytes allocated, as sampled. Contentions: cycles and
/// how many; the rest is 0.
struct ValueRecord {
  std::array<std::int64_t, 4> values{};
  std::vector<Address> pcs;        ///< all of the stack, innermost first: return addresses
  std::vector<CountFrame> frames;  ///< as CountRecord::frames
};

/// Whether `head`, the beginning of a text, is such a profile's.
bool looks_like_values(std::string_view head);

/// Reads a whole profile. Comments are passed over. Errors: invalid for a first line, an attribute
/// or a record that is none, with its line.
Result<ValueTitle> parse_values(std::string_view text,
                                const std::function<void(const ValueRecord&)>& sink);

}  // namespace weir::dump
