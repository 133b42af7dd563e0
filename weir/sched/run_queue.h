#pragma once
// RunQueue: who can run, as the Go scheduler of a stopped process with one P has it, and the change
// of its mind. Source of truth: runtime.p.{runnext,runq}, runtime.sched.runq and execute(),
// src/runtime/proc.go, go1.19–1.27.
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "weir/gortime/program.h"
#include "weir/sched/process.h"

namespace weir::sched {

/// One goroutine that is runnable.
struct Runnable {
  enum class Place : std::uint8_t {
    chosen,  ///< the scheduler is about to run it, or it runs
    next,    ///< p.runnext
    local,   ///< p.runq[slot]
    global,  ///< sched.runq, behind `previous`
  };
  Address g;
  Goid id;
  Place place = Place::chosen;
  std::uint32_t slot = 0;
  Address previous{};  ///< 0 = the first of the list
  Address schedlink{};
  bool system = false;  ///< the runtime's own
  bool locked = false;  ///< to a thread: only the scheduler itself may pick it
};

class RunQueue {
 public:
  explicit RunQueue(const gortime::Program& program) : program_(program) {}

  /// `first` (the one that runs, or is about to), then the queues in the order in which Go takes
  /// from them; the runtime's own and locked ones are left out behind the first. Errors: those of
  /// reading; invalid (queues that make no sense).
  Result<std::vector<Runnable>> read(const ControlledProcess& process, Address p, Address first);
  /// At the entry of execute(instead): puts `instead` into the place of `chosen`.
  Result<void> swap(const ControlledProcess& process, Address p, const Runnable& instead,
                    const Runnable& chosen);
  /// A goroutine of the runtime itself, by where it starts.
  bool is_system(Address start_pc);

 private:
  Result<void> describe(const ControlledProcess& process, Runnable& one);

  const gortime::Program& program_;
  std::unordered_map<std::uint64_t, bool> system_;  ///< by start pc
  std::vector<std::byte> g_bytes_, p_bytes_;
};

}  // namespace weir::sched
