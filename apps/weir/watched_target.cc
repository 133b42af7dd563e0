#include "apps/weir/watched_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "weir/analysis/cause_path.h"
#include "weir/analysis/watch_point.h"
#include "weir/analysis/watch_rules.h"
#include "weir/http/client.h"
#include "weir/ingest/http.h"
#include "weir/ingest/input.h"
#include "weir/target/processes.h"

namespace weir::app {

using model::Tally;
using model::WatchAlarm;
using model::WatchLook;

namespace {

/// The rules look at the first points and the last; so many of the last are kept.
constexpr std::size_t most_points = 512;
constexpr std::size_t kept_first = 16;
constexpr std::size_t most_counts = 8;   // of an alarm
constexpr std::size_t most_groups = 20;  // told to collectors, whose memory each new one costs

}  // namespace

Result<WatchedTarget> WatchedTarget::open(const std::string& name, const WatchPlan& plan,
                                          store::History& history, Nanos now) {
  const auto pid = ingest::parse_pid(name);
  if (!pid && !ingest::looks_like_url(name))
    return fail(ErrorCode::usage, fmt::format("\"{}\" is neither a process id nor a URL", name));
  if (!pid) WEIR_TRY_VOID(http::check_url(ingest::profile_url(name)));
  WatchedTarget target;
  target.name_ = name;
  target.shown_ = ingest::without_credentials(name);
  target.plan_ = plan;
  if (pid) {
    target.program_ = target::executable_of(*pid);
    if (!target.program_.empty())
      for (const int other : target::processes_of(target.program_)) target.others_.insert(other);
  }
  target.due_ = now;
  std::optional<model::Series> open_one;
  if (!plan.fresh) {
    WEIR_TRY(open_one, history.find_open(target.shown_, now));
  }
  if (open_one) {
    target.series_ = *open_one;
    WEIR_TRY_VOID(target.resume(history));
    return target;
  }
  model::Series& series = target.series_;
  series.target = target.shown_;
  series.started = now;
  series.every = plan.every;
  if (plan.lasts.value > 0) series.until = Nanos{now.value + plan.lasts.value};
  WEIR_TRY(series.id, history.begin(series));
  return target;
}

Result<void> WatchedTarget::resume(store::History& history) {
  resumed_ = true;
  WEIR_TRY(const auto looks, history.looks(series_.id));
  for (const model::Look& look : looks) {
    due_ = Nanos{std::max(due_->value, look.at.value + plan_.every.value)};
    if (!look.missed.empty()) {
      remember_missed(look.at);
      continue;
    }
    WEIR_TRY(const Tally tally, history.read(look.id));
    remember(tally, look.at, look.restarted);
  }
  WEIR_TRY(const auto alarms, history.alarms(series_.id));
  std::set<std::pair<std::int64_t, std::string>> told;
  for (const model::RaisedAlarm& alarm : alarms) {
    told.emplace(alarm.look, alarm.subject);
    ++alarms_by_rule_[alarm.rule];
    if (alarm.at >= points_since()) raised_.emplace(alarm.rule, alarm.subject);
  }
  summary_.alarms = told.size();
  if (!source_ || source_->pid == 0) return {};
  if (program_.empty()) program_ = source_->executable;
  // What runs now and did not when the last look was taken cannot be told from its brothers.
  if (target::executable_of(source_->pid) == program_) name_ = std::to_string(source_->pid);
  return {};
}

void WatchedTarget::remember(const Tally& tally, Nanos at, bool restarted) {
  if (restarted) {
    points_.clear();
    raised_.clear();
    ++summary_.restarts;
  }
  points_.push_back(analysis::watch_point(tally, at, plan_.rules.own_packages));
  if (points_.size() > most_points) points_.erase(points_.begin() + kept_first);
  source_ = tally.source;
  last_at_ = at;
  missed_last_ = false;
  ++summary_.looks;
  if (!summary_.first) summary_.first = tally.total();
  summary_.last = tally.total();
}

void WatchedTarget::remember_missed(Nanos at) {
  ++summary_.missed;
  last_at_ = at;
  missed_last_ = true;
}

void WatchedTarget::start_look(const ingest::EvidenceOptions& options) {
  pending_ = std::async(std::launch::async,
                        [name = name_, options] { return ingest::read_evidence(name, options); });
}

/// A look that took longer than -every leaves out those that were due in between.
void WatchedTarget::schedule(Nanos now) {
  Nanos next{due_->value + plan_.every.value};
  if (next < now) next.value += (now.value - next.value) / plan_.every.value * plan_.every.value;
  if (next < now) next.value += plan_.every.value;
  due_ = series_.until && next > *series_.until ? std::nullopt : std::optional(next);
}

Result<std::optional<WatchOutcome>> WatchedTarget::finish_look(store::History& history, Nanos now) {
  if (pending_.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    return std::optional<WatchOutcome>();
  const auto tallies = pending_.get();
  schedule(now);
  if (tallies) {
    WEIR_TRY(WatchOutcome outcome, take(history, tallies->back(), now));
    return std::optional(std::move(outcome));
  }
  WatchOutcome outcome;
  WatchLook& look = outcome.look;
  look.target = shown_;
  look.at = now;
  look.missed = to_string(tallies.error());
  WEIR_TRY(outcome.look_id, history.add_missed(series_.id, now, look.missed));
  remember_missed(now);
  find_successor();
  return std::optional(std::move(outcome));
}

Result<WatchOutcome> WatchedTarget::take(store::History& history, const Tally& tally, Nanos now) {
  WatchOutcome outcome;
  WatchLook& look = outcome.look;
  look.target = shown_;
  look.at = now;
  if (source_ && !points_.empty())
    look.restarted = analysis::restart_sign(*source_, points_.back().total, tally.source,
                                            tally.total(), missed_last_);
  const bool restarted = !look.restarted.empty();
  WEIR_TRY(outcome.look_id, history.add(series_.id, now, restarted, tally));
  remember(tally, now, restarted);
  const model::WatchPoint& point = points_.back();
  look.total = point.total;
  look.parked = point.parked;
  look.first = points_.size() == 1;
  look.change =
      static_cast<std::int64_t>(point.total) - static_cast<std::int64_t>(points_.front().total);
  look.changes = analysis::changes(points_.front(), point);
  look.partial = tally.partial;
  look.notes = tally.notes;
  outcome.alarms = raise(tally, now);
  return outcome;
}

/// One alarm for each group; a rule speaks once of a group, until the target's next restart.
std::vector<WatchAlarm> WatchedTarget::raise(const Tally& tally, Nanos now) {
  std::vector<WatchAlarm> alarms;
  const auto changes = analysis::changes(points_.front(), points_.back());
  for (model::RuleHit& hit : analysis::check(points_, plan_.rules)) {
    if (!raised_.emplace(hit.rule, hit.subject).second) continue;
    ++alarms_by_rule_[hit.rule];
    const auto known = std::find_if(alarms.begin(), alarms.end(), [&](const WatchAlarm& alarm) {
      return alarm.subject.id == hit.subject;
    });
    if (known != alarms.end()) {
      known->hits.push_back(std::move(hit));
      continue;
    }
    WatchAlarm& alarm = alarms.emplace_back();
    alarm.target = shown_;
    alarm.at = now;
    alarm.subject.id = hit.subject;
    if (!hit.subject.empty()) {
      alarm.subject.key = points_.back().groups.at(hit.subject).key;
      alarm.counts = analysis::counts_of(points_, hit.subject, most_counts);
      if (const auto* exemplar = analysis::find_exemplar(tally, hit.subject))
        alarm.exemplar = *exemplar;
      alarm.path = analysis::walk_cause_path(tally, hit.subject, changes);
    }
    alarm.hits.push_back(std::move(hit));
  }
  summary_.alarms += alarms.size();
  return alarms;
}

Nanos WatchedTarget::points_since() const {
  return points_.empty() ? Nanos{INT64_MAX} : points_.front().at;
}

/// After the process has gone: the one process of its program that was not there before.
void WatchedTarget::find_successor() {
  if (program_.empty() || ingest::parse_pid(name_) == std::nullopt) return;
  std::vector<int> candidates;
  for (const int pid : target::processes_of(program_)) {
    if (std::to_string(pid) == name_) return;  // it is there; the look failed for another reason
    if (!others_.contains(pid)) candidates.push_back(pid);
  }
  if (candidates.size() == 1) name_ = std::to_string(candidates.front());
}

void WatchedTarget::drop_look() {
  if (pending_.valid()) pending_.wait();
  pending_ = {};
}

Result<void> WatchedTarget::end(store::History& history) {
  series_.over = true;
  return history.set_over(series_.id);
}

model::WatchStatus WatchedTarget::status() const {
  model::WatchStatus status;
  status.target = shown_;
  status.started = series_.started;
  status.at = last_at_;
  status.seen = last_at_ && !missed_last_;
  status.looks = summary_.looks;
  status.missed = summary_.missed;
  status.restarts = summary_.restarts;
  status.alarms = alarms_by_rule_;
  if (points_.empty()) return status;
  const model::WatchPoint& point = points_.back();
  status.total = point.total;
  status.parked = point.parked;
  for (const auto& [id, group] : point.groups)
    status.groups.push_back({{id, group.key}, group.count});
  std::stable_sort(status.groups.begin(), status.groups.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  if (status.groups.size() > most_groups) status.groups.resize(most_groups);
  return status;
}

model::WatchSummary WatchedTarget::summary() const {
  model::WatchSummary summary = summary_;
  summary.target = shown_;
  summary.series = series_.id;
  summary.over = series_.over;
  summary.until = series_.until;
  if (!points_.empty()) summary.changes = analysis::changes(points_.front(), points_.back());
  return summary;
}

}  // namespace weir::app
