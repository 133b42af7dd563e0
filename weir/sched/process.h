#pragma once
// ControlledProcess: a process of which weir holds every step. Other than target::Tracee, it is
// started for weir's own purpose, nothing but weir waits for it, and it is killed at the end.
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::sched {

struct ProcessLaunch {
  std::string path;
  std::vector<std::string> argv;         ///< argv[0] included
  std::vector<std::string> environment;  ///< "NAME=value"; the whole of it
  std::string folder;                    ///< working directory; empty: weir's own
  int output = -1;                       ///< becomes stdout and stderr
  int memory = -1;                       ///< becomes the descriptor `memory_descriptor`
};

/// Out of the way of what a program opens.
inline constexpr int memory_descriptor = 999;

/// Reads the memory of a process that weir may look into: one call for several pieces, each wholly
/// mapped. Errors: gone, unmapped.
Result<void> read_pieces(pid_t pid, std::span<const iovec> into, std::span<const iovec> from);
Result<void> read_memory(pid_t pid, Address at, std::span<std::byte> into);

/// What let_run() came back with.
struct ProcessStop {
  enum class Kind : std::uint8_t {
    trap,   ///< `thread` has executed an int3; its program counter is behind it
    ended,  ///< the process is gone; `status` as from waitpid
  };
  Kind kind = Kind::ended;
  pid_t thread = 0;
  int status = 0;
};

/// One process under ptrace, started without address space randomisation in a process group of its
/// own. Only the thread of a trap stands still, every other one runs. All calls from the thread
/// that launched it, which must not wait for children by other means meanwhile. If weir dies, the
/// kernel kills the process (PTRACE_O_EXITKILL).
class ControlledProcess {
 public:
  /// Starts the program and stops it before its first instruction. Errors: not_found, denied (not
  /// executable), unsupported (ptrace is refused, with the remedy), io.
  static Result<std::unique_ptr<ControlledProcess>> launch(const ProcessLaunch& launch);
  /// Kills and collects it.
  ~ControlledProcess();
  ControlledProcess(const ControlledProcess&) = delete;
  ControlledProcess& operator=(const ControlledProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::vector<pid_t>& threads() const { return threads_; }

  /// Lets `thread` go on (with `signal`, if not 0) until a trap or the end. Signals on their way to
  /// the program are delivered.
  ProcessStop let_run(pid_t thread, int signal = 0);
  /// Lets `thread` go on until it has executed an int3, and waits for no other thread or process
  /// meanwhile. Errors: gone.
  Result<void> run_to_trap(pid_t thread);
  /// Executes one instruction of the stopped `thread`, or delivers a signal that came first (then
  /// the instruction was not executed: false). Errors: gone.
  Result<bool> step(pid_t thread);

  /// Ends control: the stopped `thread` goes on at `registers`, the others as they are, and nothing
  /// stops them any more. What is left of *this kills and collects as before.
  Result<void> release(pid_t thread, const user_regs_struct& registers);

  /// Of a released process that was stopped by a signal: gives `thread` these general registers,
  /// and leaves the process to itself, stopped, also when weir ends. Errors: gone, denied.
  Result<void> leave(pid_t thread, const user_regs_struct& registers,
                     std::optional<std::uint64_t> blocked);

  /// Waits until every thread but `thread`, which stands still, sleeps or stands still too (at most
  /// 100 ms): what they were about to do to the runtime's lists of threads is done then.
  void let_others_settle(pid_t thread);

  Result<user_regs_struct> read_registers(pid_t thread) const;
  Result<void> write_registers(pid_t thread, const user_regs_struct& registers) const;
  /// Errors: gone, unmapped.
  Result<void> read(Address at, std::span<std::byte> into) const;
  Result<void> write(Address at, std::span<const std::byte> bytes) const;
  template <class T>
  Result<T> read_value(Address at) const {
    T value{};
    WEIR_TRY_VOID(read(at, std::as_writable_bytes(std::span<T, 1>(&value, 1))));
    return value;
  }
  template <class T>
  Result<void> write_value(Address at, T value) const {
    return write(at, std::as_bytes(std::span<const T, 1>(&value, 1)));
  }

  /// Makes a system call in the name of the stopped `thread`, whose registers and code are put
  /// back. The kernel's answer (negative errno for failure).
  Result<std::int64_t> system_call(pid_t thread, std::uint64_t number,
                                   const std::vector<std::uint64_t>& arguments);

 private:
  explicit ControlledProcess(pid_t pid) : pid_(pid), threads_{pid}, begun_{pid} {}
  friend struct ProcessLauncher;
  bool on_stop(pid_t thread, int status, ProcessStop& stop);
  void expect(pid_t thread);
  /// The status that `thread` stops with next. An error if it ends.
  Result<int> wait_for_stop(pid_t thread);
  void forget(pid_t thread);
  bool is_settled(pid_t thread) const;

  pid_t pid_;
  std::vector<pid_t> threads_;
  std::set<pid_t> begun_;            ///< those whose first stop was seen
  std::deque<ProcessStop> waiting_;  ///< came while others were waited for
  bool ended_ = false;
  int memory_ = -1;  ///< /proc/PID/mem: writes text, too
};

}  // namespace weir::sched
