#include "weir/model/trace_heat.h"

namespace weir::model {

double TraceHeat::mean_log(std::size_t column) const {
  double sum = 0;
  std::uint64_t count = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    sum += (static_cast<double>(row) + 0.5) * static_cast<double>(columns[column][row]);
    count += columns[column][row];
  }
  return count == 0 ? -1 : sum / static_cast<double>(count);
}

}  // namespace weir::model
