#pragma once
// The end of a schedule: who waits for what, and who has it.
#include <optional>

#include "weir/model/schedule.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// The waiting goroutines of a snapshot taken where the schedule ended; the runtime's own are left
/// out. A lock is held by whom the schedule saw take it and not give it back, and who does not wait
/// for it now. TryLock counts for nobody: the schedule does not know whether it succeeded.
model::ScheduleEnd schedule_end(const model::Schedule& schedule, const model::Snapshot& snapshot);

/// The innermost function of the user in a stack, else the innermost; empty for an empty one.
model::CodePlace place_in(const std::vector<model::CodePlace>& stack);

/// "write in main.f, previous read in main.g"; empty without accesses.
std::string race_message(const std::vector<model::RaceAccess>& race);

/// The line that says most about a fault: that of a race's newer access; where a goroutine of the
/// cycle waits at the end, else where the first that waits does, else where something was done
/// last. May be empty.
model::CodePlace place_of_fault(const model::Schedule& schedule,
                                const std::optional<model::ScheduleEnd>& end);

}  // namespace weir::analysis
