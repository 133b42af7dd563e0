#pragma once
// What the program everywait says its goroutines wait on, held against `weir dump -json`.
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace weir::live {

/// One "expect CASE key=value …" line (tests/programs/everywait/main.go).
struct Expectation {
  std::string name;
  std::map<std::string, std::string> fields;  ///< values unquoted
};

/// All of them in the program's output.
std::vector<Expectation> parse_expectations(std::string_view output);

/// What of `expectation` does not hold in a document of schema weir.dump/1: one clause each.
/// `taken_at` is the clock of the dump for sleepers, in Unix nanoseconds.
std::vector<std::string> check_expectation(const Expectation& expectation,
                                           const nlohmann::json& goroutine, std::int64_t taken_at);

}  // namespace weir::live
