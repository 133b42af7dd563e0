#pragma once
// From a run to what is kept of it, and back.
#include "weir/model/schedule.h"
#include "weir/sched/run.h"

namespace weir::sched {

/// The points of a run in Go's and people's words. Package, folder, test, strategy and
/// weir_version are the caller's.
model::Schedule describe(const TestBinary& binary, const RunRecord& record, std::uint64_t seed);

/// The choices at points with more than one alternative.
std::vector<std::uint32_t> choices_of(const model::Schedule& schedule);

/// What is wrong with point `index` of a run that should be `schedule`; nothing if it is as it was.
std::optional<std::string> find_divergence(const model::Schedule& schedule, std::size_t index,
                                           const RunEvent& event);

/// The schedule can be replayed with this binary. Errors: invalid (another program), unsupported
/// (weir now watches other places in it).
Result<void> check_binary(const model::Schedule& schedule, const TestBinary& binary);

/// "^TestA$/^sub$": go test's -run for exactly this test.
std::string pattern_for(std::string_view test);

}  // namespace weir::sched
