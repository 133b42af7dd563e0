#pragma once
// Which locks the goroutines of a snapshot hold, as far as the code they are in tells.
#include "weir/gortime/program.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

/// Fills Goroutine::holds, if any goroutine waits for a Mutex or RWMutex.
void find_held_locks(const gortime::Program& program, model::Snapshot& snapshot);

}  // namespace weir::ingest
