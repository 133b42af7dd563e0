#pragma once
// How long waits took over the time of a trace.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/model/trace.h"

namespace weir::model {

/// Columns are equal slices of time, rows powers of two of the wait: row r holds waits of
/// [2^r, 2^(r+1)) ns, row 0 also those of 0.
struct TraceHeat {
  static constexpr std::size_t rows = 44;  ///< the last holds what is longer, too

  Nanos begin;  ///< of the first column, since the trace's first event
  Nanos column_width;
  std::vector<std::array<std::uint64_t, rows>> columns;

  /// Mean of the logarithm (base 2) of the waits of a column, in ns; < 0: it has none.
  double mean_log(std::size_t column) const;
};

}  // namespace weir::model
