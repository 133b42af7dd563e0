#include "apps/weir/sched_looks.h"

#include "weir/analysis/schedtrace.h"
#include "weir/analysis/top.h"
#include "weir/ingest/evidence.h"

namespace weir::app {
namespace {

using model::SchedVerdictKind;

// What a verdict takes, and the sample before, which growth is counted from.
constexpr std::size_t looked_back = analysis::samples_for_verdict + 1;

model::SchedLook look_at(pid_t program, SchedVerdictKind verdict, Nanos at) {
  model::SchedLook look{verdict, at, {}, {}};
  const auto tallies = ingest::read_evidence(std::to_string(program), {});
  if (tallies)
    look.groups = analysis::top(tallies->back(), {});
  else
    look.failure = to_string(tallies.error());
  return look;
}

}  // namespace

void SchedLooks::take(const model::SchedSample& sample, pid_t program) {
  if (looks_.size() == most) return;
  recent_.push_back(sample);
  if (recent_.size() > looked_back) recent_.erase(recent_.begin());
  std::set<SchedVerdictKind> lasting;
  const model::SchedReport report = analysis::judge_schedule(recent_);
  for (const model::SchedVerdict& verdict : report.verdicts) {
    const bool is_stall =
        verdict.kind == SchedVerdictKind::stalled || verdict.kind == SchedVerdictKind::frozen;
    if (!is_stall || verdict.to != sample.at) continue;
    lasting.insert(verdict.kind);
    if (lasting_.contains(verdict.kind) || looks_.size() == most) continue;
    looks_.push_back(look_at(program, verdict.kind, sample.at));
  }
  lasting_ = std::move(lasting);
}

}  // namespace weir::app
