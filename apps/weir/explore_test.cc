#include "apps/weir/explore_test.h"

#include <algorithm>
#include <set>

#include "apps/weir/explore_end.h"
#include "apps/weir/gate_output.h"
#include "weir/analysis/filter.h"
#include "weir/analysis/group.h"
#include "weir/analysis/schedule_end.h"
#include "weir/analysis/schedule_leaks.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/race_report.h"
#include "weir/report/schedule_file.h"

namespace weir::app {
namespace {

template <class Map>
std::vector<std::pair<std::string, std::uint64_t>> pairs_of(const Map& map) {
  std::vector<std::pair<std::string, std::uint64_t>> pairs;
  for (const auto& [name, count] : map) pairs.emplace_back(name, count);
  return pairs;
}

model::Exploration to_exploration(const sched::SearchResult& result) {
  model::Exploration one;
  one.control = to_string(result.control);
  one.why = result.why;
  one.schedules = result.schedules;
  one.distinct = result.distinct;
  one.orders = result.orders;
  one.places = result.places;
  one.switched = result.switched;
  one.points = result.points;
  one.strategies = pairs_of(result.by_strategy);
  if (result.exhausted) one.exhausted = *result.exhausted;
  one.exhausted_schedules = result.exhausted_schedules;
  one.complete = result.complete;
  if (result.exhausted_orders) one.exhausted_orders = *result.exhausted_orders;
  one.exhausted_orders_schedules = result.exhausted_orders_schedules;
  one.unreduced = result.unreduced;
  one.stopped = result.stopped;
  one.unknown = pairs_of(result.unknown);
  one.unconfirmed = result.unconfirmed;
  one.observations = result.observations;
  one.clamped = result.clamped;
  return one;
}

std::vector<model::ExploreLeak> leaks_of(const model::Snapshot& snapshot,
                                         const std::vector<sched::LeftOver>& left) {
  std::vector<Goid> ids;
  for (const sched::LeftOver& one : left) ids.push_back(one.id);
  return analysis::schedule_leaks(snapshot, ids);
}

/// The rule, and a proof of what it calls leaked.
sched::LeakRule proving(sched::LeakRule rule, std::optional<model::Proof>& proof) {
  return [rule = std::move(rule), &proof](
             const sched::EndState& end,
             const std::vector<sched::LeftOver>& left) -> Result<std::vector<Goid>> {
    WEIR_TRY(auto leaks, rule(end, left));
    if (!leaks.empty()) proof = prove_end(end);
    return leaks;
  };
}

}  // namespace

sched::LeakRule leak_rule(const model::IgnoreRules& rules, const model::Baseline& known) {
  std::set<std::string> ids;
  for (const model::BaselineEntry& entry : known.entries) ids.insert(entry.fingerprint.id);
  return [rules, ids](const sched::EndState& end,
                      const std::vector<sched::LeftOver>& left) -> Result<std::vector<Goid>> {
    WEIR_TRY(const model::Snapshot snapshot, read_end(end));
    std::set<Goid> lingers;
    const auto chosen = analysis::lingering(snapshot, rules, {});
    for (const analysis::Group& group : analysis::group(snapshot, chosen)) {
      if (ids.contains(group.fingerprint.id)) continue;
      for (const std::size_t index : group.members) lingers.insert(snapshot.goroutines[index].id);
    }
    std::vector<Goid> leaks;
    for (const sched::LeftOver& one : left)
      if (lingers.contains(one.id)) leaks.push_back(one.id);
    return leaks;
  };
}

Result<sched::LeakRule> leak_rule_of(const model::GateOptions& gate) {
  WEIR_TRY(const auto baseline, read_baseline(gate));
  return leak_rule(gate.ignore, baseline && !gate.strict ? *baseline : model::Baseline{});
}

Result<model::ExploreFinding> look_at(const sched::TestBinary& binary,
                                      const sched::RunOptions& options,
                                      const std::vector<std::uint32_t>& choices,
                                      sched::Watchdog& watchdog) {
  model::ExploreFinding finding;
  sched::RunOptions with_look = options;
  std::optional<model::Snapshot> snapshot;
  std::optional<model::Proof> proof;
  if (options.leaks) with_look.leaks = proving(options.leaks, proof);
  with_look.at_end = [&snapshot](const sched::EndState& end) {
    auto read = read_end(end);
    if (read) snapshot = std::move(*read);
  };
  sched::FixedChooser chooser(choices);
  WEIR_TRY(const sched::RunRecord record, run_schedule(binary, with_look, chooser, watchdog));
  finding.schedule = sched::describe(binary, record, options.seed);
  if (snapshot) finding.end = analysis::schedule_end(finding.schedule, *snapshot);
  if (snapshot && record.ending == sched::Ending::leak) {
    snapshot->proof = std::move(proof);
    finding.leaks = leaks_of(*snapshot, record.left);
  }
  if (record.ending == sched::Ending::race) {
    finding.end.emplace().race = ingest::read_race(record.output);
    finding.schedule.message = analysis::race_message(finding.end->race);
  }
  finding.deviations = sched::count_deviations(record.choices());
  finding.output = record.output;
  return finding;
}

Result<model::Exploration> explore_test(const sched::TestBinary& binary,
                                        const sched::SearchOptions& options,
                                        sched::Watchdog& watchdog) {
  WEIR_TRY(const sched::SearchResult result, search(binary, options, watchdog));
  model::Exploration exploration = to_exploration(result);
  exploration.seed = options.run.seed;
  if (!result.found) return exploration;
  const sched::Found& found = *result.found;
  sched::RunOptions run = options.run;
  run.seed = found.seed;
  WEIR_TRY(model::ExploreFinding finding, look_at(binary, run, found.choices, watchdog));
  finding.schedule.strategy = found.strategy;
  finding.found_in = found.schedule;
  finding.deviations_before = found.deviations;
  finding.confirmed = found.confirmed;
  finding.replayed = found.replayed;
  exploration.finding = std::move(finding);
  return exploration;
}

Result<model::Schedule> read_schedule(const std::string& path) {
  WEIR_TRY(const auto file, bytes::MappedFile::open(path));
  const bytes::Bytes content = file.bytes();
  return report::parse_schedule_file(
      {reinterpret_cast<const char*>(content.data()), content.size()}, path);
}

BuildRequest build_request_of(const model::Schedule& schedule, const std::string& go) {
  BuildRequest build{go, {}};
  if (schedule.race) build.flags.emplace_back(race_flag);
  return build;
}

sched::RunOptions run_options_of(const model::Schedule& schedule) {
  sched::RunOptions options;
  options.pattern = sched::pattern_for(schedule.test);
  options.folder = schedule.folder;
  options.arguments = schedule.arguments;
  options.seed = schedule.seed;
  options.leaks = leak_rule({});
  return options;
}

}  // namespace weir::app
