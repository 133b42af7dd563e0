#pragma once
// Profile: a pprof profile as a value, in columns. Source of truth: google/pprof
// proto/profile.proto.
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "weir/base/samples.h"
#include "weir/base/string_table.h"
#include "weir/pprof/label_sets.h"

namespace weir::pprof {

/// What a sample's value counts: "goroutine" in "count", "cpu" in "nanoseconds".
struct ValueType {
  StringId type = 0;
  StringId unit = 0;
  bool operator==(const ValueType&) const = default;
};

/// A file mapped into the profiled program.
struct Mapping {
  std::uint64_t start = 0, limit = 0, file_offset = 0;  ///< addresses: [start, limit)
  StringId file = 0, build_id = 0;
  bool has_functions = false, has_filenames = false, has_line_numbers = false,
       has_inline_frames = false;
};

struct Function {
  StringId name = 0;         ///< for people
  StringId system_name = 0;  ///< as linked
  StringId file = 0;
  std::int64_t start_line = 0;
  bool operator==(const Function&) const = default;
};

/// Index of nothing: a location without a mapping, a line without a function.
constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

struct Line {
  std::uint32_t function = none;  ///< index into Profile::functions
  std::int64_t line = 0;
  std::int64_t column = 0;
  bool operator==(const Line&) const = default;
};

/// A place in the program: an address, and the source-level calls there.
struct Location {
  std::uint64_t address = 0;
  std::uint32_t mapping = none;                  ///< index into Profile::mappings
  std::uint32_t first_line = 0, line_count = 0;  ///< see Profile::lines_of()
  bool folded = false;
};

/// One sample, seen in its profile; good as long as that is not changed.
struct SampleView {
  std::span<const std::uint32_t> locations;  ///< indices into Profile::locations, leaf first
  std::span<const std::int64_t> values;      ///< one for each of Profile::sample_types
  std::span<const Label> labels;
};

/// All indices are in range and every sample has as many values as there are sample types: parse
/// and Builder see to that. Ids of the file are not kept; the order is.
struct Profile {
  StringTable strings;
  std::vector<ValueType> sample_types;
  Samples samples;  ///< of locations; their labels are numbers of label_sets
  LabelSets label_sets;
  std::vector<Mapping> mappings;
  std::vector<Location> locations;
  std::vector<Line> lines;  ///< of all locations
  std::vector<Function> functions;
  StringId drop_frames = 0, keep_frames = 0;  ///< regular expressions
  std::int64_t time_nanos = 0;                ///< since 1970; 0 if not known
  std::int64_t duration_nanos = 0;
  ValueType period_type;
  std::int64_t period = 0;
  std::vector<StringId> comments;
  StringId default_sample_type = 0;
  StringId doc_url = 0;

  SampleView sample(std::size_t index) const {
    const Sample& sample = samples[index];
    return {sample.locations(), {sample.values, sample_types.size()}, label_sets[sample.labels]};
  }
  /// Innermost inlined call first; empty if it was not symbolised.
  std::span<const Line> lines_of(const Location& location) const {
    return std::span(lines).subspan(location.first_line, location.line_count);
  }
  std::string_view text(StringId id) const { return strings[id]; }
};

}  // namespace weir::pprof
