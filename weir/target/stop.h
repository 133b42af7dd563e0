#pragma once
// StoppedProcess: every thread of a process held still for a moment, and let go unharmed.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "weir/base/error.h"
#include "weir/target/live_memory.h"
#include "weir/target/registers.h"

namespace weir::target {

struct StopOptions {
  /// The target runs again after this long, whatever weir's code is doing then.
  Nanos max_stop{100'000'000};
  /// How long to wait for a thread in an uninterruptible system call (state D, or the parent of a
  /// vfork) before it is left as it is: unstopped(). For one that only waits for a CPU, three
  /// quarters of max_stop.
  Nanos max_wait{25'000'000};
  bool read_registers = true;
  /// Run with the highest priority the kernel grants while the target is stopped.
  bool raise_priority = true;
};

/// Why a thread was found standing.
enum class StopKind : std::uint8_t {
  interrupted,  ///< because weir asked
  signal,       ///< a signal was just being delivered to it; it is delivered on release
  job_control,  ///< it was stopped before (SIGSTOP, Ctrl-Z) and stays so after
};

struct StoppedThread {
  int tid = 0;
  StopKind kind = StopKind::interrupted;
  int signal = 0;  ///< of StopKind::signal
  bool has_registers = false;
  Registers registers;
};

/// The process stands still from stop() until release(), the destructor, the end of the stopping
/// thread, the end of weir (by kill -9 too: the kernel detaches a dead tracer's threads and lets
/// them run), or max_stop, whichever is first. At max_stop a timer signal (SIGRTMAX - 3, handler
/// installed on first use) releases it from within whatever code runs on the stopping thread; only
/// if the machine gives that thread no CPU time can it take longer.
///
/// No signal is lost: a thread that stands at the delivery of a signal gets it on release; all
/// others stay queued. Stops are looked at without being consumed, so that even if weir is killed
/// the kernel goes on with the delivery. Time passes for the target, and a system call that was
/// sleeping is restarted or returns EINTR by the rules of signal(7) for a stop by a debugger.
///
/// ptrace belongs to a thread: everything but reading memory is to be called on the thread that
/// called stop(). That thread should end soon after release(), since a thread of the target that
/// couldn't be stopped can only be let go that way; while_stopped() does so.
class StoppedProcess {
 public:
  /// Stops all threads, also those started meanwhile. Errors: gone; denied (denied.h); limit when
  /// max_stop passed before all stood still. On error everything runs again.
  static Result<StoppedProcess> stop(int pid, const StopOptions& options = {});
  /// Stops just these threads, the rest runs on; ones that have ended are left out.
  static Result<StoppedProcess> stop_threads(int pid, std::span<const int> tids,
                                             const StopOptions& options = {});
  StoppedProcess(StoppedProcess&&) noexcept;
  StoppedProcess& operator=(StoppedProcess&&) noexcept;
  ~StoppedProcess();

  int pid() const;
  /// Ascending tids.
  std::span<const StoppedThread> threads() const;
  /// Threads that didn't stand still in time: they wait in the kernel, or for a CPU. They cannot
  /// run user code without stopping first, so memory is frozen all the same; their registers are
  /// unknown.
  std::span<const int> unstopped() const;

  /// Everything that was asked to stop still stands. False after release() or max_stop.
  bool holds() const;
  /// When max_stop forces the release. Stop reading a little before.
  std::chrono::steady_clock::time_point deadline() const;
  /// `memory` of the same process as of this instant; both must outlive it. Reads fail with `limit`
  /// once the stop is over. Not after stop_threads(): memory is then racing.
  FrozenMemory freeze(Memory& memory) const;

  /// Lets everything run. Returns how long the target was held: from just before the first thread
  /// was attached to until just after the last one was detached, on CLOCK_MONOTONIC; no thread
  /// stood longer than that. May be called again; then it only returns the time.
  Nanos release();
  /// release() was done by the timer at max_stop.
  bool forced() const;

  /// Takes a thread that stands because of PTRACE_INTERRUPT out of the stop, to run it for a moment
  /// (Injection): nothing lets it go until give_back(), not even max_stop. False if it does not
  /// stand so, or the stop is over.
  bool borrow(int tid);
  /// The thread stands again, or stands still; it is let go with the others, or at once if the stop
  /// is over meanwhile. `signal` (0: none) is then delivered to it.
  void give_back(int tid, int signal);

 private:
  struct State;
  explicit StoppedProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What a stop was.
struct StopReport {
  Nanos held;           ///< StoppedProcess::release()
  bool forced = false;  ///< max_stop was reached before `gather` was done
  std::vector<int> unstopped;
};

/// Stops the process, runs `gather` on a thread of its own, and releases it when gather returns.
/// This is the way to stop a process from a program that goes on afterwards. Errors: those of
/// stop(); `gather` was not called then.
Result<StopReport> while_stopped(int pid, const StopOptions& options,
                                 const std::function<void(StoppedProcess&)>& gather);
/// The same for stop_threads().
Result<StopReport> while_stopped(int pid, std::span<const int> tids, const StopOptions& options,
                                 const std::function<void(StoppedProcess&)>& gather);

}  // namespace weir::target
