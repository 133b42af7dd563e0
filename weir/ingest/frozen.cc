#include "weir/ingest/frozen.h"

#include "weir/gortime/gather.h"
#include "weir/ingest/holders.h"

namespace weir::ingest {

Result<model::Snapshot> read_frozen(gortime::Program& program, target::Memory& memory,
                                    const Moment& moment) {
  WEIR_TRY_VOID(program.prepare(memory));
  gortime::Gatherer gatherer(
      {&program.layout(), &program.globals(), &program.wait_reasons(), program.file().machine()},
      memory);
  gatherer.use_threads(stack_pointers_of(moment));
  WEIR_TRY_VOID(gatherer.gather());
  gatherer.finish();
  model::Snapshot snapshot;
  SnapshotBuilder builder(program, memory, moment);
  snapshot.goroutines = builder.build(gatherer.goroutines());
  snapshot.notes.merge(program.notes());
  snapshot.notes.merge(gatherer.notes());
  snapshot.notes.merge(builder.notes());
  find_holders(gatherer.goroutines(), program, memory, snapshot);
  return snapshot;
}

}  // namespace weir::ingest
