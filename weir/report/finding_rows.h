#pragma once
// Internal to report: findings of all programs, one row per fingerprint, in the order in which a
// reader needs them.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/gate.h"

namespace weir::report {

/// Views into a GateReport, which must outlive it.
struct FindingRow {
  const model::Finding* finding = nullptr;  ///< of the program with the most goroutines
  std::vector<std::string> packages;
  std::vector<model::TestShare> tests;  ///< "package.TestA" when there are several packages
  std::uint64_t count = 0;
  bool fails = false;
};

/// Failing ones first, then by certainty, then by number of goroutines, then by key.
std::vector<FindingRow> rows_of(const model::GateReport& report);

/// Where an annotation belongs: the innermost user function, else the creator, else the innermost
/// function. With a root, places below it come first. A file of "" if there is none.
model::CodePlace best_place(const std::vector<model::CodePlace>& stack,
                            const model::CodePlace& created, std::string_view root);
model::CodePlace best_place(const model::Finding& finding, std::string_view root);

/// `path` without `root` and the slash after it, if it is below root; else as it is.
std::string_view below(std::string_view path, std::string_view root);

/// "3 goroutines", "1 goroutine".
std::string counted(std::uint64_t count, std::string_view noun);

/// "TestA (2), TestB (1) and 3 more"; what could not be attributed says why. Empty for none.
std::string tests_text(const std::vector<model::TestShare>& tests, std::size_t most);

}  // namespace weir::report
