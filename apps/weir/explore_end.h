#pragma once
// The process as it stands where its schedule ended: which goroutines are there, and which of them
// will never run again.
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"
#include "weir/sched/run.h"

namespace weir::app {

Result<model::Snapshot> read_end(const sched::EndState& end);

/// Of a process whose test has passed and left goroutines over. Never fails: what stands in the way
/// of a proof is Proof::refused.
model::Proof prove_end(const sched::EndState& end);

}  // namespace weir::app
