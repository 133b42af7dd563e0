#pragma once
// Tracee: a program that weir itself started, under ptrace: breakpoints, whole-process stops, exact
// pass-through of signals, stops and exit.
#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/target/signal_relay.h"

namespace weir::target {

/// What to start, and how.
struct Launch {
  std::vector<std::string> argv;         ///< argv[0] is looked up on PATH like execvp does
  std::vector<std::string> environment;  ///< "NAME=value"; the whole of it
  bool traced = true;  ///< false: only start, relay signals and wait; no ptrace anywhere
};

/// What next() came back with. The thread of a breakpoint or exec event stays stopped until
/// resume(); all others run.
struct TraceeEvent {
  enum class Kind : std::uint8_t {
    exec,        ///< a new program image, before its first instruction; all breakpoints are gone
    breakpoint,  ///< `thread` is about to execute the instruction at `at`
    ended,       ///< the process is gone; `wait_status` as from waitpid
    timeout,     ///< the deadline passed
  };
  Kind kind = Kind::timeout;
  pid_t thread = 0;
  Address at;
  int wait_status = 0;
};

/// One started process and all its threads. Its own children are not traced. Everything must be
/// called from the thread that called launch() (a rule of ptrace). That thread's process must have
/// no other children it waits for.
///
/// stdin, stdout, stderr, the working directory, the process group and the signal dispositions are
/// the caller's own. Signals to the child are delivered as if nobody traced it; signals to weir are
/// relayed (SignalRelay). If weir dies, the kernel kills the child (PTRACE_O_EXITKILL): a program
/// with int3 bytes in its text and nobody to handle them must not live on.
class Tracee {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts the program; the first event of a traced one is `exec`. Errors: not_found or denied
  /// (the program cannot be executed), unsupported (ptrace refused; nothing was executed), io.
  static Result<std::unique_ptr<Tracee>> launch(const Launch& launch);
  /// Kills the process if it still runs under trace.
  ~Tracee();
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;

  pid_t pid() const { return pid_; }
  bool ended() const { return ended_; }
  int wait_status() const { return wait_status_; }

  /// Runs the program until something happens that the owner must look at.
  TraceeEvent next(std::optional<Clock::time_point> deadline);

  /// Lets the thread of an event go on. If a breakpoint is still set where it stands, the
  /// instruction under it is executed first, without any other thread running past it.
  Result<void> resume(pid_t thread);

  /// Brings every thread to a stop and keeps it there until resume_all(). Breakpoints hit on the
  /// way are kept for next(). Errors: gone; limit (some thread did not stop within `bound`: it is
  /// in an uninterruptible system call; everything runs again).
  Result<void> stop_all(std::chrono::milliseconds bound = std::chrono::seconds(2));
  /// Undoes stop_all(). Threads of events not yet resumed stay stopped.
  void resume_all();
  /// Every thread of the process that the kernel told us of.
  std::vector<pid_t> threads() const;

  /// Registers of a stopped thread. Errors: gone.
  Result<user_regs_struct> read_registers(pid_t thread);
  /// The words of its vector registers (NT_X86_XSTATE); empty where there are none.
  std::vector<std::uint64_t> read_vector_registers(pid_t thread) const;
  Result<void> write_registers(pid_t thread, const user_regs_struct& registers);

  /// Memory of the process; at least one thread must be stopped. Text may be written. Reading shows
  /// the program's own bytes where breakpoints are set. Errors: unmapped, gone.
  Result<void> read(Address at, std::span<std::byte> into);
  Result<void> write(Address at, std::span<const std::byte> bytes);

  /// Sets or removes an int3. Setting one twice, or removing none, is fine. At least one thread
  /// must be stopped. remove() is safe while other threads run into the breakpoint.
  Result<void> set_breakpoint(Address at);
  Result<void> remove_breakpoint(Address at);

  /// Sends a signal to the process.
  void send(int signal);
  /// Removes all breakpoints and leaves the process running, untraced; next() still reports its
  /// end.
  Result<void> detach();

 private:
  enum class State : std::uint8_t {
    running,    ///< not stopped, or not seen to be
    interrupt,  ///< PTRACE_INTERRUPT sent, stop not yet seen
    stopped,    ///< stopped by us or on its way; goes on with `signal`
    group,      ///< in a group stop; goes on with PTRACE_LISTEN
    event,      ///< its breakpoint or exec event is with the owner, or queued
  };
  struct Thread {
    State state = State::running;
    int signal = 0;  ///< to deliver when it is resumed
  };

  explicit Tracee(pid_t pid) : pid_(pid) {}
  friend struct TraceeLauncher;

  bool reap();
  void on_stop(pid_t tid, int status);
  void on_signal_stop(pid_t tid, Thread& thread, int signal);
  bool on_trap(pid_t tid, Thread& thread);
  void on_event_stop(pid_t tid, Thread& thread, int event, int signal);
  void on_clone(pid_t tid);
  void on_exec(pid_t tid);
  void on_end(pid_t tid, int status);
  bool is_thread_of_ours(pid_t tid) const;
  void go_on(pid_t tid, Thread& thread);
  bool interrupt_running();
  bool any_unstopped() const;
  Result<void> step_over(pid_t tid);
  Result<bool> step_in_place(pid_t tid, Address at);
  Result<bool> emulate(pid_t tid, user_regs_struct registers);
  pid_t stopped_thread() const;
  Result<void> poke_byte(Address at, std::byte value);

  pid_t pid_ = 0;
  bool traced_ = true;
  bool ended_ = false;
  int wait_status_ = 0;
  int holds_ = 0;  ///< nesting depth of stop_all()
  pid_t stepping_ = 0;
  std::optional<int> step_status_;  ///< of the thread in a single step
  std::map<pid_t, Thread> threads_;
  std::map<Address, std::byte> breakpoints_;  ///< with the byte each one hides
  std::set<Address> former_;                  ///< where breakpoints were, for hits on their way
  std::deque<TraceeEvent> events_;
  SignalRelay relay_;
};

}  // namespace weir::target
