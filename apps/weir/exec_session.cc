#include "apps/weir/exec_session.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "weir/analysis/judge.h"
#include "weir/analysis/stuck.h"
#include "weir/report/gate_text.h"
#include "weir/run/session.h"

namespace weir::app {
namespace {

/// What go test's own alarm makes of a stuck test.
constexpr int timeout_code = 2;

analysis::TestFacts test_facts(const run::Facts& facts) {
  analysis::TestFacts tests;
  tests.has_tests = facts.has_tests;
  tests.ending = facts.ending;
  tests.test_of.insert(facts.tests.begin(), facts.tests.end());
  tests.before_first_test.insert(facts.before_first_test.begin(), facts.before_first_test.end());
  return tests;
}

analysis::WakeFacts wake_facts(const std::vector<run::Timer>& timers) {
  analysis::WakeFacts facts{true, {}};
  for (const run::Timer& timer : timers)
    facts.timers.push_back({timer.function, timer.calls, timer.fires_in});
  return facts;
}

/// Why nobody looked at the goroutines; empty if somebody did, or if the program's own death says
/// enough.
std::string why_unchecked(const run::Outcome& outcome) {
  if (outcome.end == run::End::unwatched) return to_string(outcome.unwatched);
  const bool ended_well = outcome.code() == 0;
  return ended_well && !outcome.snapshot
             ? "the program ended without calling os.Exit and without main returning"
             : "";
}

void judge_end(const run::Outcome& outcome, const model::GateOptions& options,
               model::ExecResult& result) {
  const auto facts = test_facts(outcome.facts);
  auto judgement = analysis::judge(*outcome.snapshot, options.ignore, facts);
  result.findings = std::move(judgement.findings);
  result.ignored = judgement.ignored;
  const auto& proof = outcome.snapshot->proof;
  if (proof && !proof->refused.empty() && !result.findings.empty())
    result.notes.add(Severity::warning,
                     "of what lingers nothing is proved leaked, because " + proof->refused);
}

model::ExecResult to_result(const run::Outcome& outcome, const std::vector<std::string>& argv,
                            const model::GateOptions& options) {
  model::ExecResult result;
  result.executable = argv[0];
  result.package = outcome.package.empty() ? std::filesystem::path(argv[0]).filename().string()
                                           : outcome.package;
  result.build_id = outcome.build_id;
  result.go_version = outcome.go_version;
  result.arguments.assign(argv.begin() + 1, argv.end());
  result.child_code = outcome.end == run::End::stuck ? timeout_code : outcome.code();
  result.settled = outcome.settled;
  result.stopped = outcome.stopped;
  result.not_checked = why_unchecked(outcome);
  result.notes = outcome.notes;
  for (const run::TestCounts& count : outcome.facts.counts)
    result.counts.push_back({count.test, count.before, count.after, count.peak});
  if (!outcome.snapshot) return result;
  result.goroutines_at_end = outcome.snapshot->goroutines.size();
  result.notes.merge(outcome.snapshot->notes);
  if (outcome.end == run::End::exit_called || outcome.end == run::End::main_returned)
    judge_end(outcome, options, result);
  if (outcome.end == run::End::stuck || outcome.end == run::End::deadlock)
    result.stuck = analysis::diagnose_stuck(*outcome.snapshot, wake_facts(outcome.timers));
  return result;
}

}  // namespace

Result<Gated> run_gated(const std::vector<std::string>& argv,
                        const std::vector<std::string>& environment,
                        const model::GateOptions& options, int ancestors) {
  Gated gated;
  run::SessionOptions session;
  session.argv = argv;
  session.environment = environment;
  session.settle = options.settle;
  session.stuck_after = options.stuck_after;
  session.ancestors = ancestors;
  session.count = options.verbose;
  session.lingering = [&](const model::Snapshot& snapshot, const run::Facts& facts) {
    const auto tests = test_facts(facts);
    return analysis::lingering(snapshot, options.ignore, tests.before_first_test, tests.ending);
  };
  session.is_stuck = [](const model::Snapshot& snapshot, const std::vector<run::Timer>& timers) {
    return analysis::diagnose_stuck(snapshot, wake_facts(timers)).stuck;
  };
  session.on_stuck = [&](const model::Snapshot& snapshot, const std::vector<run::Timer>& timers) {
    const auto diagnosis = analysis::diagnose_stuck(snapshot, wake_facts(timers));
    fmt::print(stderr, "{}", report::render_stuck_text(diagnosis));
    std::fflush(stderr);
    gated.stuck_told = true;
  };
  WEIR_TRY(run::Outcome outcome, run::run_session(session));
  gated.wait_status = outcome.wait_status;
  gated.result = to_result(outcome, argv, options);
  gated.snapshot = std::move(outcome.snapshot);
  return gated;
}

}  // namespace weir::app
