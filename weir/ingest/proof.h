#pragma once
// From what gortime finds unreachable to model::Proof: names for goroutines, variables and stacks.
#include <vector>

#include "weir/gortime/goroutine.h"
#include "weir/gortime/reach.h"
#include "weir/ingest/proven.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

struct ProofSource {
  const gortime::Program& program;
  target::Memory& memory;  ///< frozen
  const std::vector<gortime::ReachThread>& threads;
  /// Goroutines gathered from the same memory, and the snapshot built from them.
  const std::vector<gortime::GoroutineState>& states;
  const model::Snapshot& snapshot;
};

/// `record`: what is read is kept a second time.
gortime::ReachOptions reach_options(const ProofOptions& options, bool record);

/// Never fails: what stands in the way of a proof is Proof::refused.
model::Proof prove(const ProofSource& source, const gortime::ReachOptions& options);

}  // namespace weir::ingest
