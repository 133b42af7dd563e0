#pragma once
// What a core and a recording have in common: memory that stands still, read at leisure.
#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

/// Every goroutine in `memory`, with refers_to; the source is the caller's to fill in. Errors:
/// those of Program::prepare and of reading the list of goroutines.
Result<model::Snapshot> read_frozen(gortime::Program& program, target::Memory& memory,
                                    const Moment& moment);

}  // namespace weir::ingest
