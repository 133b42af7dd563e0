#pragma once
// The wait-for graph of one Snapshot: goroutines, what they are blocked on, and who could wake
// them.
#include "weir/model/why.h"

namespace weir::analysis {

/// Needs Goroutine::refers_to. An edge leads from a goroutine to those whose stacks lead to what it
/// is blocked on and that do not themselves wait on the same side of it; of a lock, to those whose
/// code says that they hold it, if there are such. A cycle is "likely" when in each step only one
/// goroutine could wake the one before and no variable leads to a channel of it, "possible"
/// otherwise: the heap is not followed far. What a pending timer leads to is in no cycle.
/// os/signal's receiver counts as nobody. With the proof that was made of the same moment, a cycle
/// is "proved" when each of its goroutines is, and open where one that waits for no lock is held.
model::WhyReport why(const model::Snapshot& snapshot, const model::Proof* proof = nullptr);

}  // namespace weir::analysis
