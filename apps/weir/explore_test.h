#pragma once
// Running one test under control, and telling what came of it: shared by explore, replay, shrink.
#include <string>
#include <vector>

#include "apps/weir/test_binaries.h"
#include "weir/model/explore.h"
#include "weir/sched/describe.h"
#include "weir/sched/search.h"

namespace weir::app {

/// The gate's rule of what a leak is: goleak's built-in exceptions, and `rules`. The test's own
/// goroutines only; what existed before the test is nobody's. What `known` (the gate's baseline)
/// has is none either.
sched::LeakRule leak_rule(const model::IgnoreRules& rules, const model::Baseline& known = {});

/// That of the gate: what it ignores, and its baseline unless it is strict. Errors: a baseline that
/// cannot be read.
Result<sched::LeakRule> leak_rule_of(const model::GateOptions& gate);

/// Searches, and describes what was found.
Result<model::Exploration> explore_test(const sched::TestBinary& binary,
                                        const sched::SearchOptions& options,
                                        sched::Watchdog& watchdog);

/// Runs the choices once more and looks at the goroutines at the end.
Result<model::ExploreFinding> look_at(const sched::TestBinary& binary,
                                      const sched::RunOptions& options,
                                      const std::vector<std::uint32_t>& choices,
                                      sched::Watchdog& watchdog);

/// Reads a schedule file. Errors: those of reading and parsing.
Result<model::Schedule> read_schedule(const std::string& path);

/// How the package of a schedule is built again, by the go command `go`.
BuildRequest build_request_of(const model::Schedule& schedule, const std::string& go);

/// How the test of a schedule is run.
sched::RunOptions run_options_of(const model::Schedule& schedule);

}  // namespace weir::app
