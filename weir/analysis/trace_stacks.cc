#include "weir/analysis/trace_stacks.h"

#include <algorithm>

namespace weir::analysis {

using model::TraceInterval;
using model::TraceKind;
using model::TraceProfile;

bool TraceStacks::counts(const TraceInterval& interval) const {
  if (interval.before_first_run || interval.open) return false;
  switch (profile_) {
    case TraceProfile::sched:
      return is_scheduling(interval.kind);
    case TraceProfile::net:
      return interval.kind == TraceKind::network;
    case TraceProfile::syscall:
      return interval.kind == TraceKind::syscall;
    case TraceProfile::sync:
      break;
  }
  return interval.kind == TraceKind::synctest ||
         (is_synchronisation(interval.kind) && interval.kind != TraceKind::forever);
}

void TraceStacks::take(const TraceInterval& interval) {
  if (!counts(interval)) return;
  const std::uint32_t stack =
      profile_ == TraceProfile::sched ? interval.waker_stack : interval.stack;
  if (stack >= totals_.size()) totals_.resize(stack + std::size_t{1} + stack / 2);
  ++totals_[stack].count;
  totals_[stack].nanos += static_cast<std::uint64_t>(interval.duration());
}

std::vector<model::TraceStackTotal> TraceStacks::finish() {
  for (std::size_t i = 0; i < totals_.size(); ++i) totals_[i].stack = static_cast<std::uint32_t>(i);
  std::erase_if(totals_, [](const auto& total) { return total.count == 0; });
  std::ranges::sort(totals_, [](const auto& a, const auto& b) {
    return a.nanos != b.nanos ? a.nanos > b.nanos : a.stack < b.stack;
  });
  return std::move(totals_);
}

}  // namespace weir::analysis
