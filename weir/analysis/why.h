#pragma once
// The wait-for graph of one Snapshot: goroutines, what they are blocked on, and who could wake
// them.
#include "weir/model/why.h"

namespace weir::analysis {

/// Needs Goroutine::refers_to. An edge leads from a goroutine to those whose stacks lead to what it
/// is blocked on and that do not themselves wait on the same side of it; of a lock, to those whose
/// code says that they hold it, if there are such. The heap is not followed far, so a cycle is
/// never proved: "likely" when in each step only one goroutine could wake the one before and no
/// variable leads to a channel of it, "possible" otherwise. What a pending timer leads to is in no
/// cycle. os/signal's receiver counts as nobody.
model::WhyReport why(const model::Snapshot& snapshot);

}  // namespace weir::analysis
