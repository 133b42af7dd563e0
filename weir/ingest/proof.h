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
  /// Goroutines gathered from the memory that the search was in, and the snapshot built from them.
  const std::vector<gortime::GoroutineState>& states;
  const model::Snapshot& snapshot;
};

/// `record`: what is read is kept, too.
gortime::ReachOptions reach_options(const ProofOptions& options, bool record);

/// How much a recording may keep, packed. A heap that is recorded counts with half more than its
/// size (HeapBudget), so that both together stay within ProofOptions::max_memory.
inline std::uint64_t most_packed(const ProofOptions& options) {
  return options.max_memory / 3;
}

/// Says what find_unreachable() found. An error of it becomes Proof::refused.
model::Proof describe_proof(const ProofSource& source, const Result<gortime::ReachReport>& found);

}  // namespace weir::ingest
