#include "apps/weir/explore_end.h"

#include <algorithm>

#include "weir/ingest/live.h"
#include "weir/target/registers.h"
#include "weir/target/stop.h"

namespace weir::app {
namespace {

constexpr Nanos longest_stop{60'000'000'000};  // nobody waits for the process
constexpr std::uint64_t proof_memory = std::uint64_t{1} << 30;

ingest::StoppedRegisters thread_at(const sched::EndState& end) {
  return {end.thread, target::to_registers(end.registers), {}};
}

/// All threads. The one that came to the end stands in the agent; it counts with the registers that
/// it had before. It came there by returning from a call without results, with which by Go's
/// calling convention (cmd/compile/abi-internal.md) no register but the stack's and g holds
/// anything.
std::vector<ingest::StoppedRegisters> threads_of(const sched::EndState& end,
                                                 const target::StoppedProcess& stop) {
  ingest::StoppedRegisters ended = thread_at(end);
  ended.vectors = {0};
  ended.registers.general = {};
  std::vector<ingest::StoppedRegisters> threads{std::move(ended)};
  for (const target::StoppedThread& one : stop.threads())
    if (one.tid != end.thread && one.has_registers) threads.push_back({one.tid, one.registers, {}});
  return threads;
}

Result<model::Proof> prove(const sched::EndState& end) {
  WEIR_TRY(auto reader, ingest::LiveReader::open(end.pid));
  ingest::ProofOptions options;
  options.max_memory = proof_memory;
  options.own_memory = end.own_memory;
  Result<ingest::Proven> proven;
  WEIR_TRY_VOID(
      target::while_stopped(end.pid, {longest_stop}, [&](const target::StoppedProcess& stop) {
        proven = reader.read_proof_stopped(threads_of(end, stop), options);
      }));
  if (!proven) return fail(std::move(proven).error());
  return std::move(proven->proof);
}

}  // namespace

Result<model::Snapshot> read_end(const sched::EndState& end) {
  WEIR_TRY(auto reader, ingest::LiveReader::open(end.pid));
  const ingest::StoppedRegisters thread = thread_at(end);
  return reader.read_stopped(std::span(&thread, 1));
}

model::Proof prove_end(const sched::EndState& end) {
  auto proof = prove(end);
  if (proof) return std::move(*proof);
  model::Proof none;
  none.refused = to_string(proof.error());
  return none;
}

}  // namespace weir::app
