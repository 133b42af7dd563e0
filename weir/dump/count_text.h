#pragma once
// The legacy text of count profiles: debug/pprof/goroutine?debug=1, threadcreate and goroutineleak.
// It has no goroutine numbers and no states, only how many goroutines have each stack.
//
// Source of truth: printCountProfile, printStackRecord and labelMap.String in
// src/runtime/pprof, go1.19–1.27.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/base/notes.h"

namespace weir::dump {

/// "#\t0x43ab12\tmain.f+0x1d\t/home/user/a.go:7".
struct CountFrame {
  Address pc;
  std::string_view function;  ///< empty when the program did not know it
  std::uint64_t offset = 0;   ///< from the function's entry
  std::string_view file;
  std::int32_t line = 0;

  bool operator==(const CountFrame&) const = default;
};

/// One stack: "3 @ 0x1 0x2", its labels and its frames. Views live as long as the sink's call.
struct CountRecord {
  std::uint64_t count = 0;
  /// All of the stack, innermost first: return addresses. Frames may be fewer (leading frames of
  /// the runtime are not printed) and more (inlined calls).
  std::vector<Address> pcs;
  std::vector<CountFrame> frames;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct CountSummary {
  std::string name;         ///< "goroutine", "goroutineleak", "threadcreate"
  std::uint64_t total = 0;  ///< as the first line says
  std::uint64_t counted = 0;
  Notes notes;  ///< a total that is not the sum: text is missing
};

/// Whether `head`, the beginning of a text, is a count profile's.
bool looks_like_counts(std::string_view head);

/// Reads a whole profile. Lines that are neither record nor frame are passed over. Errors: invalid
/// when the first line is not "NAME profile: total N" or the counts add up to 2^63 or more.
Result<CountSummary> parse_counts(std::string_view text,
                                  const std::function<void(const CountRecord&)>& sink);

}  // namespace weir::dump
