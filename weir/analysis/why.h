#pragma once
// The wait-for graph of one Snapshot: goroutines, what they are blocked on, and who could wake
// them.
#include "weir/model/why.h"

namespace weir::analysis {

/// Needs Goroutine::refers_to. An edge leads from a goroutine to those whose stacks lead to what it
/// is blocked on and that do not themselves wait on the same side of it. Globals are not looked at,
/// nor far into the heap, so a cycle is never proved: "likely" when in each step only one goroutine
/// could wake the one before, "possible" otherwise. os/signal's receiver counts as nobody.
model::WhyReport why(const model::Snapshot& snapshot);

}  // namespace weir::analysis
