#pragma once
// LiveReader: a running Go process → model::Snapshot.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/gortime/timers.h"
#include "weir/ingest/census.h"
#include "weir/ingest/proven.h"
#include "weir/model/snapshot.h"
#include "weir/target/registers.h"

namespace weir::target {
struct Recording;
}

namespace weir::ingest {

struct LiveOptions {
  /// Each goroutine consistent in itself instead of all at one instant; the stop then only takes
  /// what runs.
  bool light = false;
  /// The target runs again after this long, whatever happens; the snapshot is then partial.
  Nanos max_stop{100'000'000};
  /// Threads that copy while the target is stopped; 0: one for each CPU, up to 4.
  unsigned copy_threads = 0;
  /// Fill Goroutine::refers_to. A recording always gets what that takes.
  bool holders = false;
};

/// A thread held stopped by the caller. `tid` as weir numbers it.
struct StoppedRegisters {
  int tid = 0;
  target::Registers registers;
  std::vector<std::uint64_t> vectors = {};  ///< for a proof only: words of the vector registers
};

/// A Go program found in a live process, with everything that does not change: symbols, layouts,
/// the places of the runtime's globals. One thread at a time may use it.
class LiveReader {
 public:
  /// Errors: gone, denied (with cause and remedy), unsupported (no Go program, or a version whose
  /// layout is not known and could not be calibrated: one sentence says which and what to do).
  static Result<LiveReader> open(int pid);
  LiveReader(LiveReader&&) noexcept;
  LiveReader& operator=(LiveReader&&) noexcept;
  ~LiveReader();

  /// Stops the process for a moment, as options say, and reads every goroutine. With `record`, also
  /// leaves there all that is needed to decode the same snapshot again.
  Result<model::Snapshot> read_snapshot(const LiveOptions& options,
                                        target::Recording* record = nullptr);

  /// The same for a process whose threads the caller holds stopped (a tracer of its own); stops
  /// nothing.
  Result<model::Snapshot> read_stopped(std::span<const StoppedRegisters> threads);

  /// Makes a copy of the process (target::ForkCopy), and from that a snapshot and a proof, while
  /// the process runs on. Looks again if the moment was a bad one. Errors: what copying or reading
  /// the copy failed with; what only stands in the way of a proof is in Proof::refused. With
  /// `record`, also leaves there all that is needed to make the same proof again.
  Result<Proven> read_proof(const ProofOptions& options, target::Recording* record = nullptr);
  /// The same for a process whose threads the caller holds stopped, all of them and until this
  /// returns.
  Result<Proven> read_proof_stopped(std::span<const StoppedRegisters> threads,
                                    const ProofOptions& options);

  /// Who is there, without stopping anything: a racing, cheap look (some 0.1 µs per goroutine).
  Result<std::vector<CensusEntry>> read_census();

  /// Pending timers of all Ps; racing unless the caller holds the process stopped.
  Result<std::vector<gortime::TimerState>> read_timers();

  /// The function at a run-time pc ("testing.(*M).startAlarm.func1"), or empty.
  std::string function_at(Address pc) const;

  const std::string& go_version() const;
  const gortime::Program& program() const;

 private:
  struct State;
  explicit LiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::ingest
