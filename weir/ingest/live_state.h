#pragma once
// LiveReader's own state. Internal to weir/ingest.
#include <optional>
#include <vector>

#include "weir/bytes/mapped_file.h"
#include "weir/gortime/gather.h"
#include "weir/gortime/program.h"
#include "weir/gortime/reach.h"
#include "weir/ingest/live.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/target/live_memory.h"
#include "weir/target/process.h"
#include "weir/target/stop.h"

namespace weir::ingest {

/// CLOCK_MONOTONIC or another clock, now.
Nanos clock_now(clockid_t clock);
/// Registers by the number Go knows the thread by.
void take_registers(std::span<const target::StoppedThread> threads, Moment& moment);

struct LiveReader::State {
  int pid = 0;
  target::ProcessFacts facts;
  std::vector<target::AuxEntry> auxv;
  std::optional<bytes::MappedFile> executable;
  std::optional<bytes::PageSet> touched;
  std::optional<target::LiveMemory> memory;
  std::optional<gortime::Program> program;

  gortime::GatherContext context() const {
    return {&program->layout(), &program->globals(), &program->wait_reasons(),
            program->file().machine()};
  }
  /// Once; they never change.
  Result<void> need_preparation() {
    if (!program->wait_reasons().empty()) return {};
    return program->prepare(*memory);
  }
  model::Source source() const;
  Result<Proven> prove_copy(target::Memory& frozen, Moment& moment,
                            const std::vector<gortime::ReachThread>& threads,
                            const ProofOptions& options, bool record);
  Result<Proven> prove_once(const ProofOptions& options, target::Recording* record);
  void read_thread_ids(Moment& moment) const;
  Result<void> draft(gortime::Gatherer& gatherer) const;
  model::Snapshot build(gortime::Gatherer& gatherer, Moment& moment, target::Memory& from);
  Result<std::vector<int>> running_threads(const gortime::Gatherer& gatherer) const;
};

}  // namespace weir::ingest
