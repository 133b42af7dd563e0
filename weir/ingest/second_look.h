#pragma once
// A second, cheap look at a process: what seemed to wait for ever may only have waited for a
// moment.
#include <vector>

#include "weir/ingest/census.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

/// Sets Goroutine::ran_since of those that waited in `snapshot` and are not in the census as they
/// were, and Snapshot::looked_again to `after`, the time between the two.
void mark_who_ran(const std::vector<CensusEntry>& census, Nanos after, model::Snapshot& snapshot);

}  // namespace weir::ingest
