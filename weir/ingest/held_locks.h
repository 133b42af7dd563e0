#pragma once
// Which locks the goroutines of a snapshot hold, as far as the code they are in tells.
#include <vector>

#include "weir/gortime/goroutine.h"
#include "weir/gortime/program.h"
#include "weir/gortime/unwind.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

/// Fills Goroutine::holds, if any goroutine waits for a Mutex or RWMutex. The snapshot was made
/// from `states`. Of goroutines that run, only locks that are variables are named.
void find_held_locks(const std::vector<gortime::GoroutineState>& states,
                     const gortime::Program& program, gortime::Unwinder& unwinder,
                     model::Snapshot& snapshot);

}  // namespace weir::ingest
