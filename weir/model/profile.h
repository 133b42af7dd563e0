#pragma once
// Profile: samples of a program, each a stack with values and labels. What pprof files hold, after
// any number of them were put together. Source of truth: google/pprof proto/profile.proto.
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/notes.h"
#include "weir/base/samples.h"
#include "weir/base/string_table.h"

namespace weir::model {

/// What a value counts: "cpu" in "nanoseconds".
struct ValueType {
  std::string type;
  std::string unit;
  bool operator==(const ValueType&) const = default;
};

/// Text, or a number with a unit.
struct ProfileLabel {
  StringId key = 0;
  StringId text = 0;  ///< 0: it is a number
  std::int64_t number = 0;
  StringId unit = 0;  ///< of the number; 0 for none
};

/// A file mapped into the profiled program; addresses are [start, limit).
struct ProfileMapping {
  std::uint64_t start = 0, limit = 0, file_offset = 0;
  std::string file, build_id;
  bool has_functions = false, has_filenames = false, has_line_numbers = false,
       has_inline_frames = false;
};

struct ProfileFunction {
  StringId name = 0;
  StringId system_name = 0;  ///< as linked
  StringId file = 0;
  std::int64_t start_line = 0;
};

/// Index of nothing: a location without a mapping, a line without a function.
constexpr std::uint32_t no_index = std::numeric_limits<std::uint32_t>::max();

struct ProfileLine {
  std::uint32_t function = no_index;
  std::int64_t line = 0;
  std::int64_t column = 0;
};

struct ProfileLocation {
  std::uint64_t address = 0;
  std::uint32_t mapping = no_index;
  std::uint32_t first_line = 0, line_count = 0;  ///< see Profile::lines_of()
  bool folded = false;
};

/// All indices are in range; every sample has as many values as there are types. Movable only.
struct Profile {
  StringTable strings;
  std::vector<ValueType> types;
  Samples samples;
  std::vector<ProfileLabel> labels;        ///< of all sets; see labels_of()
  std::vector<std::size_t> label_ends{0};  ///< set 0 is the empty one
  std::vector<ProfileMapping> mappings;
  std::vector<ProfileLocation> locations;
  std::vector<ProfileLine> lines;
  std::vector<ProfileFunction> functions;
  std::string drop_frames, keep_frames;  ///< regular expressions
  std::int64_t time_nanos = 0;           ///< since 1970; 0 if not known
  std::int64_t duration_nanos = 0;
  ValueType period_type;
  std::int64_t period = 0;
  std::vector<std::string> comments;
  std::string default_type;
  std::string doc_url;
  Notes notes;

  std::string_view text(StringId id) const { return strings[id]; }
  std::span<const std::int64_t> values_of(const Sample& sample) const {
    return {sample.values, types.size()};
  }
  std::size_t label_sets() const { return label_ends.size(); }
  std::span<const ProfileLabel> labels_of(std::uint32_t set) const {
    const std::size_t start = set == 0 ? 0 : label_ends[set - 1];
    return std::span(labels).subspan(start, label_ends[set] - start);
  }
  /// Innermost inlined call first; empty if it was not symbolised.
  std::span<const ProfileLine> lines_of(const ProfileLocation& location) const {
    return std::span(lines).subspan(location.first_line, location.line_count);
  }
  std::string_view name_of(const ProfileLine& line) const {
    return line.function == no_index ? std::string_view() : text(functions[line.function].name);
  }
  std::string_view file_of(const ProfileLine& line) const {
    return line.function == no_index ? std::string_view() : text(functions[line.function].file);
  }
};

/// Which value of a sample an analysis looks at.
struct ValueChoice {
  std::size_t index = 0;
  bool mean = false;  ///< divided by the first value

  std::int64_t of(const Sample& sample) const { return sample.values[index]; }
  std::int64_t divisor(const Sample& sample) const { return mean ? sample.values[0] : 0; }
};

/// `value` for one sample or a sum of them, with what it is to be divided by (0: by nothing).
constexpr std::int64_t mean_of(std::int64_t value, std::int64_t divisor) {
  if (divisor == 0) return value;
  // Not by division, which the most negative number does not survive.
  return divisor == -1 ? static_cast<std::int64_t>(0u - static_cast<std::uint64_t>(value))
                       : value / divisor;
}

constexpr std::int64_t magnitude(std::int64_t value) {
  // The most negative number has no counterpart.
  return value >= 0 ? value
                    : (value == std::numeric_limits<std::int64_t>::min()
                           ? std::numeric_limits<std::int64_t>::max()
                           : -value);
}

/// Without the fraction, and within the range.
constexpr std::int64_t rounded_down(double number) {
  constexpr double bound = 9223372036854774784.0;  // the largest double below 2^63
  if (!(number > -bound)) return number < 0 ? std::numeric_limits<std::int64_t>::min() : 0;
  return number > bound ? std::numeric_limits<std::int64_t>::max()
                        : static_cast<std::int64_t>(number);
}

/// Sums of values, which a hostile file may make overflow: they wrap.
constexpr std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace weir::model
