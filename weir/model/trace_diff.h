#pragma once
// What `weir diff` says of two traces.
#include <cstdint>
#include <string>
#include <vector>

#include "weir/model/trace_report.h"

namespace weir::model {

enum class TraceChange : std::uint8_t {
  noise,    ///< no more than slices of one trace differ among each other
  longer,   ///< waits got longer
  shorter,  ///< waits got shorter
  unknown,  ///< too few waits to tell
};
/// "noise", "longer", "shorter", "unknown".
const char* to_string(TraceChange change);

struct TraceDiffRow {
  std::string kind;  ///< "scheduling", "chan send" …
  std::uint64_t count[2] = {0, 0};
  Nanos total[2], p50[2], p99[2], longest[2];
  TraceChange change = TraceChange::unknown;
  /// Of a difference like this, or a greater one, when nothing changed; 1 where it is not known.
  double probability = 1;
  double factor = 1;  ///< of the typical (geometric mean) wait: second by first
};

struct TraceDiff {
  TraceSummary summaries[2];
  std::vector<TraceDiffRow> rows;
};

}  // namespace weir::model
