#include "weir/analysis/trace_heat.h"

#include <algorithm>
#include <bit>

namespace weir::analysis {

using model::TraceHeat;
using model::TraceInterval;
using model::TraceKind;

void TraceHeatTally::widen() {
  width_ *= 2;
  used_ = (used_ + 1) / 2;
  for (auto& columns : columns_) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i == 0) continue;
      auto& into = columns[i / 2];
      if (i % 2 == 0) into = {};
      for (std::size_t row = 0; row < TraceHeat::rows; ++row) into[row] += columns[i][row];
    }
    columns.resize((columns.size() + 1) / 2);
  }
}

void TraceHeatTally::take(const TraceInterval& interval) {
  const std::int64_t at = interval.end - from_;
  if (interval.kind == TraceKind::running || interval.open || at < 0) return;
  while (at / width_ >= static_cast<std::int64_t>(most_columns) && width_ < std::int64_t{1} << 61)
    widen();
  const auto column = std::min(static_cast<std::size_t>(at / width_), most_columns - 1);
  used_ = std::max(used_, column + 1);
  const bool at_rest = interval.system && is_blocking(interval.kind);
  const TraceKind kind = is_scheduling(interval.kind) ? TraceKind::woken
                         : at_rest                    ? TraceKind::system
                                                      : interval.kind;
  auto& columns = columns_[static_cast<std::size_t>(kind)];
  if (column >= columns.size()) columns.resize(column + 1);
  const auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(interval.duration(), 1));
  const auto row = static_cast<std::size_t>(std::bit_width(nanos)) - 1;
  ++columns[column][std::min(row, TraceHeat::rows - 1)];
}

TraceHeat TraceHeatTally::heat(TraceKind kind) const {
  TraceHeat heat;
  heat.begin = Nanos{from_};
  heat.column_width = Nanos{width_};
  heat.columns = columns_[static_cast<std::size_t>(kind)];
  heat.columns.resize(used_);
  return heat;
}

}  // namespace weir::analysis
