#pragma once
// Who refers to what goroutines are blocked on.
#include <vector>

#include "weir/gortime/goroutine.h"
#include "weir/gortime/program.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

/// Fills Goroutine::refers_to of the snapshot's goroutines, made from `states`: the channels, locks
/// and other objects that some goroutine is blocked on and that this one can reach: a word of its
/// stack or of its thread's registers, of what it is to start with, or of what it has deferred
/// points at it or into the heap object around it, or leads there through three heap objects at
/// most. Conservative: a word may be left over from an earlier call. Bounded: a note says when
/// there was too much to follow. Also Goroutine::holds, and Snapshot::surroundings: which variables
/// and timers lead there, by the same rule. `moment` is the one that the states are of.
void find_holders(const std::vector<gortime::GoroutineState>& states,
                  const gortime::Program& program, target::Memory& memory, const Moment& moment,
                  model::Snapshot& snapshot);

}  // namespace weir::ingest
