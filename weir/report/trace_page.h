#pragma once
// What `weir trace -html` writes: waits over time and goroutines over time, as one page.
#include <string>
#include <vector>

#include "weir/model/trace_heat.h"
#include "weir/model/trace_report.h"
#include "weir/model/trace_timeline.h"

namespace weir::report {

struct TracePage {
  static constexpr std::size_t most_lanes = 16;  ///< when the user chose none

  model::TraceReport report;
  std::vector<model::TraceHeat> heats;               ///< one for each of the report's sections
  model::TraceKind shown = model::TraceKind::woken;  ///< the kind that the page begins with
  model::TraceTimeline timeline;
  bool chosen = false;  ///< the timeline's goroutines are the user's choice
};

/// One page that needs nothing else. Its size has a bound that the trace's length does not move.
/// `names` are those that the timeline's numbers mean.
std::string render_trace_html(const TracePage& page, const model::TraceNames& names);

}  // namespace weir::report
