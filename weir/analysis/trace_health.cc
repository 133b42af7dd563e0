#include "weir/analysis/trace_health.h"

#include <fmt/format.h>

namespace weir::analysis {
namespace {

bool is_time(TraceFigure figure) {
  return figure >= TraceFigure::total && figure <= TraceFigure::max;
}

double measure(const TraceRule& rule, const model::Distribution& waits) {
  const auto nanos = [](Nanos value) { return static_cast<double>(value.value); };
  const auto over =
      static_cast<double>(waits.histogram.count_from(static_cast<std::uint64_t>(rule.over.value)));
  switch (rule.figure) {
    case TraceFigure::count:
      return static_cast<double>(waits.count);
    case TraceFigure::total:
      return nanos(waits.total);
    case TraceFigure::p50:
      return nanos(waits.percentile(0.5));
    case TraceFigure::p90:
      return nanos(waits.percentile(0.9));
    case TraceFigure::p99:
      return nanos(waits.percentile(0.99));
    case TraceFigure::p999:
      return nanos(waits.percentile(0.999));
    case TraceFigure::max:
      return nanos(waits.longest);
    case TraceFigure::over_count:
      return over;
    case TraceFigure::over_share:
      return waits.count == 0 ? 0 : 100 * over / static_cast<double>(waits.count);
    default:
      return 0;
  }
}

std::string told(TraceFigure figure, double value) {
  if (is_time(figure)) return to_text(Nanos{static_cast<std::int64_t>(value)});
  if (figure == TraceFigure::over_share) return fmt::format("{:.3g} %", value);
  return fmt::format("{:g}", value);
}

}  // namespace

model::TraceHealth judge_health(const TraceRule& rule, const model::TraceReport& report) {
  double value = 0;
  if (rule.figure == TraceFigure::runnable_mean) value = report.summary.runnable_mean;
  if (rule.figure == TraceFigure::runnable_most)
    value = static_cast<double>(report.summary.runnable_most);
  bool found = rule.kind.empty();
  for (const model::TraceSection& section : report.sections) {
    if (rule.kind != (section.scheduling ? "scheduling" : to_string(section.kind))) continue;
    value = measure(rule, section.waits);
    found = true;
  }
  model::TraceHealth health;
  health.rule = rule.text;
  health.crossed = value > rule.limit;
  health.text = found ? fmt::format("{}; the limit is {}", told(rule.figure, value),
                                    told(rule.figure, rule.limit))
                      : "there are no such waits";
  return health;
}

}  // namespace weir::analysis
