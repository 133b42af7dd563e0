#include "weir/ingest/frozen.h"

#include "weir/gortime/gather.h"
#include "weir/ingest/holders.h"
#include "weir/ingest/proof.h"

namespace weir::ingest {
namespace {

Result<gortime::Gatherer> gather(gortime::Program& program, target::Memory& memory,
                                 const Moment& moment) {
  gortime::Gatherer gatherer(
      {&program.layout(), &program.globals(), &program.wait_reasons(), program.file().machine()},
      memory);
  gatherer.use_threads(stack_pointers_of(moment));
  WEIR_TRY_VOID(gatherer.gather());
  gatherer.finish();
  return gatherer;
}

model::Snapshot build(gortime::Gatherer& gatherer, gortime::Program& program,
                      target::Memory& memory, const Moment& moment) {
  model::Snapshot snapshot;
  SnapshotBuilder builder(program, memory, moment);
  snapshot.goroutines = builder.build(gatherer.goroutines());
  snapshot.notes.merge(program.notes());
  snapshot.notes.merge(gatherer.notes());
  snapshot.notes.merge(builder.notes());
  find_holders(gatherer.goroutines(), program, memory, moment, snapshot);
  return snapshot;
}

}  // namespace

Result<model::Snapshot> read_frozen(gortime::Program& program, target::Memory& memory,
                                    const Moment& moment) {
  WEIR_TRY_VOID(program.prepare(memory));
  WEIR_TRY(auto gatherer, gather(program, memory, moment));
  return build(gatherer, program, memory, moment);
}

Result<Proven> prove_frozen(gortime::Program& program, target::Memory& memory, const Moment& moment,
                            const std::vector<gortime::ReachThread>& threads,
                            const gortime::ReachOptions& options) {
  WEIR_TRY_VOID(program.prepare(memory));
  // First the search, whose copy of the heap is gone before the rest takes memory.
  const auto found = gortime::find_unreachable(program, memory, threads, options);
  WEIR_TRY(auto gatherer, gather(program, memory, moment));
  Proven proven;
  proven.snapshot = build(gatherer, program, memory, moment);
  proven.proof = describe_proof({program, gatherer.goroutines(), proven.snapshot}, found);
  return proven;
}

}  // namespace weir::ingest
