#pragma once
// The goroutines that a schedule left over, by fingerprint, with how sure it is that they are
// leaked.
#include <span>
#include <vector>

#include "weir/model/explore.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Of the goroutines `left` in the snapshot. "proved" only if the snapshot's proof says so of each
/// goroutine of the fingerprint; else "likely", with why the first one is not proved.
std::vector<model::ExploreLeak> schedule_leaks(const model::Snapshot& snapshot,
                                               std::span<const Goid> left);

}  // namespace weir::analysis
