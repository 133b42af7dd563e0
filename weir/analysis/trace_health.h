#pragma once
// Thresholds on a trace.
#include <optional>
#include <string>

#include "weir/model/trace_report.h"

namespace weir::analysis {

enum class TraceFigure : std::uint8_t {
  count,
  total,
  p50,
  p90,
  p99,
  p999,
  max,
  over_count,     ///< how many waits are at least `over`
  over_share,     ///< which part of them is, in percent
  runnable_mean,  ///< goroutines that wait for a P, over time
  runnable_most,
};

struct TraceRule {
  std::string text;  ///< as the user wrote it: "scheduling.p99>1ms"
  std::string kind;  ///< "scheduling", or a kind's name; empty with runnable_*
  TraceFigure figure = TraceFigure::p99;
  Nanos over;
  double limit = 0;  ///< ns, a number, or percent
};

/// A rule about a kind of which there are no waits holds.
model::TraceHealth judge_health(const TraceRule& rule, const model::TraceReport& report);

}  // namespace weir::analysis
