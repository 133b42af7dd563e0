#pragma once
// What a core and a recording have in common: memory that stands still, read at leisure.
#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/gortime/reach.h"
#include "weir/ingest/proven.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

/// Every goroutine in `memory`, with refers_to; the source is the caller's to fill in. Errors:
/// those of Program::prepare and of reading the list of goroutines.
Result<model::Snapshot> read_frozen(gortime::Program& program, target::Memory& memory,
                                    const Moment& moment);

/// The same, with a proof; `threads` are all of the process. What stands in the way of a proof is
/// in Proof::refused.
Result<Proven> prove_frozen(gortime::Program& program, target::Memory& memory, const Moment& moment,
                            const std::vector<gortime::ReachThread>& threads,
                            const gortime::ReachOptions& options);

}  // namespace weir::ingest
