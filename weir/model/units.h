#pragma once
// Values of profiles in words: the units of pprof and how it rounds
// (github.com/google/pprof/internal/measurement, as vendored by go1.26).
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::model {

/// A number and the name of its unit; the name is empty for plain counts.
using Scaled = std::pair<double, std::string>;

/// `value` from one unit to another. "minimum" and "auto" choose the largest unit that leaves at
/// least 1. Units that do not convert leave the number as it is.
Scaled scale(std::int64_t value, std::string_view from, std::string_view to);

/// "1.50s", "512kB", "0".
std::string scaled_label(std::int64_t value, std::string_view from, std::string_view to);

/// "12.34%", in 6 columns at least.
std::string percentage(std::int64_t value, std::int64_t total);

/// Both are units of the same kind of thing, or the same word.
bool units_convert(std::string_view a, std::string_view b);

/// C's %g with that precision, as Go prints it: an exponent has two digits at least.
std::string shortest(double number, int precision);

}  // namespace weir::model
