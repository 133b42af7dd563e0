#pragma once
// A Snapshot as the goroutine profile that Go's own /debug/pprof/goroutine would give.
#include "weir/model/snapshot.h"
#include "weir/pprof/profile.h"

namespace weir::ingest {

/// One sample for each stack and set of labels, the value is how many goroutines have it; the
/// runtime's own goroutines are left out, as Go does. A location is a physical frame with the calls
/// inlined there; its address is that of the call, one less than the return address
/// (runtime/pprof/proto.go, go1.19–1.27).
pprof::Profile goroutine_profile(const model::Snapshot& snapshot);

}  // namespace weir::ingest
