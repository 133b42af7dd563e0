// Proofs of leaks in a live process.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "weir/gortime/injection_site.h"
#include "weir/ingest/holders.h"
#include "weir/ingest/live_state.h"
#include "weir/ingest/proof.h"
#include "weir/ingest/recorded.h"
#include "weir/target/fork_copy.h"
#include "weir/target/recording.h"

namespace weir::ingest {
namespace {

constexpr int most_tries = 5;
constexpr int niceness = 10;

/// On a thread of its own that leaves the processors to others.
template <class Work>
void run_niced(const Work& work) {
  std::thread([&] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), niceness);
    work();
  }).join();
}

std::unordered_map<int, int> go_ids(const Moment& moment) {
  std::unordered_map<int, int> ids;
  for (const auto& [go_id, tid] : moment.thread_ids) ids[tid] = go_id;
  return ids;
}

}  // namespace

/// From memory that does not change. First comes the search, whose copy of the heap is gone before
/// the rest takes memory.
Result<Proven> LiveReader::State::prove_copy(target::Memory& frozen, Moment& moment,
                                             const std::vector<gortime::ReachThread>& threads,
                                             const ProofOptions& options, bool record) {
  if (record) WEIR_TRY_VOID(program->prepare(frozen));  // so that it is read, and kept
  const auto found =
      gortime::find_unreachable(*program, frozen, threads, reach_options(options, record));
  gortime::Gatherer gatherer(context(), frozen);
  gatherer.use_threads(stack_pointers_of(moment));
  WEIR_TRY_VOID(gatherer.gather());
  Proven proven;
  proven.snapshot = build(gatherer, moment, frozen);
  proven.snapshot.consistent = true;
  find_holders(gatherer.goroutines(), *program, frozen, moment, proven.snapshot);
  proven.proof = describe_proof({*program, gatherer.goroutines(), proven.snapshot}, found);
  return proven;
}

Result<Proven> LiveReader::State::prove_once(const ProofOptions& options,
                                             target::Recording* record) {
  WEIR_TRY(const target::InjectionSite code, gortime::find_injection_code(*program, *memory));
  Moment moment;
  read_thread_ids(moment);
  auto ids = go_ids(moment);
  const auto go_id = [&](int tid) {
    const auto found = ids.find(tid);
    return found == ids.end() ? tid : found->second;
  };
  auto copy =
      target::ForkCopy::take(pid, {options.max_stop}, [&](const target::StoppedProcess& stop) {
        moment.monotonic_now = clock_now(CLOCK_MONOTONIC);
        return gortime::choose_injection_thread(code, *program, *memory, stop.threads(), go_id);
      });
  if (!copy) return fail(std::move(copy).error());
  std::vector<target::StoppedThread> stopped;
  std::vector<gortime::ReachThread> threads;
  for (const target::CopiedThread& one : copy->threads()) {
    stopped.push_back(one.thread);
    if (one.thread.has_registers)
      threads.push_back({go_id(one.thread.tid), one.thread.registers, one.vectors});
  }
  take_registers(stopped, moment);
  Result<Proven> proven;
  target::RecordingMemory recorder(copy->memory(), target::Packing::as_read, most_packed(options));
  target::Memory& frozen = record != nullptr ? recorder : copy->memory();
  run_niced([&] { proven = prove_copy(frozen, moment, threads, options, record != nullptr); });
  if (!proven) return proven;
  proven->snapshot.stopped = copy->held();
  proven->proof.stopped = copy->held();
  const auto regions = frozen.regions();
  copy->end();
  if (record != nullptr) {
    *record = {};
    keep_moment(*record, *program, moment, proven->snapshot, facts, *touched);
    keep_vectors(*record, threads);
    WEIR_TRY(record->packed, recorder.take_packed());
    record->memory = recorder.take_latest();
    record->memory.set_regions(regions);
    record->auxv = auxv;
  }
  return proven;
}

Result<Proven> LiveReader::read_proof(const ProofOptions& options, target::Recording* record) {
  WEIR_TRY_VOID(state_->need_preparation());
  Result<Proven> proven;
  for (int i = 0; i < most_tries; ++i) {
    proven = state_->prove_once(options, record);
    const bool bad_moment = proven && proven->proof.refused.find("look again") != std::string::npos;
    if (!bad_moment) break;
  }
  return proven;
}

Result<Proven> LiveReader::read_proof_stopped(std::span<const StoppedRegisters> threads,
                                              const ProofOptions& options) {
  State& state = *state_;
  WEIR_TRY_VOID(state.need_preparation());
  Moment moment;
  state.read_thread_ids(moment);
  moment.monotonic_now = clock_now(CLOCK_MONOTONIC);
  const auto ids = go_ids(moment);
  std::vector<target::StoppedThread> stopped;
  std::vector<gortime::ReachThread> reach;
  for (const StoppedRegisters& thread : threads) {
    target::StoppedThread one;
    one.tid = thread.tid;
    one.has_registers = true;
    one.registers = thread.registers;
    stopped.push_back(one);
    const auto known = ids.find(thread.tid);
    reach.push_back(
        {known == ids.end() ? thread.tid : known->second, thread.registers, thread.vectors});
  }
  take_registers(stopped, moment);
  target::FrozenMemory frozen(*state.memory, [] { return true; });
  return state.prove_copy(frozen, moment, reach, options, false);
}

}  // namespace weir::ingest
