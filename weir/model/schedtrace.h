#pragma once
// What GODEBUG=schedtrace tells of a program's scheduler, and what weir makes of it.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"

namespace weir::model {

struct SchedSample {
  Nanos at;  ///< since the first line
  std::uint64_t gomaxprocs = 0, idle_procs = 0, threads = 0;
  std::uint64_t run_queue = 0;     ///< goroutines in the global queue
  std::uint64_t local_queues = 0;  ///< in those of all Ps together
  std::uint64_t longest_local = 0;
  std::optional<std::uint64_t> sched_ticks;  ///< counts up with everything that is scheduled
  bool detailed = false;
  bool gc_waiting = false;
  std::uint64_t waiting = 0;                         ///< detail: goroutines that wait
  std::map<std::string, std::uint64_t> waiting_for;  ///< detail: by reason

  std::uint64_t queued() const { return run_queue + local_queues; }
};

enum class SchedVerdictKind : std::uint8_t {
  starved,    ///< goroutines queue and no P is idle: the CPUs are the limit
  unserved,   ///< goroutines queue while Ps are idle
  frozen,     ///< Ps are busy, and nothing new was scheduled
  stalled,    ///< all Ps idle, nothing was scheduled, and more and more goroutines wait
  idle,       ///< all Ps idle: nothing to do, or stuck
  threads,    ///< threads grow: system calls or C calls that do not return
  imbalance,  ///< one P has most of the queue
};
/// "starved", "unserved" …
const char* to_string(SchedVerdictKind kind);

struct SchedVerdict {
  SchedVerdictKind kind = SchedVerdictKind::idle;
  bool is_finding = false;  ///< something is wrong; else worth knowing
  std::string text;         ///< a sentence with its final stop
  std::string advice;
  Nanos from, to;
  std::uint64_t samples = 0;
};

struct SchedSpread {
  std::uint64_t least = 0, most = 0;
  double mean = 0;
};

struct SchedReport {
  std::string source;
  std::vector<SchedSample> samples;  ///< at most `kept`; the figures are of all
  std::uint64_t count = 0;
  Nanos span;
  SchedSpread run_queue, local_queues, idle_procs, threads, waiting;
  std::uint64_t gomaxprocs = 0;
  std::uint64_t idle_while_queued = 0;  ///< samples with idle Ps and queued goroutines
  bool detailed = false;
  std::vector<SchedVerdict> verdicts;
  Notes notes;

  bool has_finding() const {
    return std::any_of(verdicts.begin(), verdicts.end(),
                       [](const SchedVerdict& verdict) { return verdict.is_finding; });
  }
};

}  // namespace weir::model
