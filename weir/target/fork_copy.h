#pragma once
// ForkCopy: a frozen copy of a running process, to be read for as long as one likes while the
// process itself runs on.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "weir/base/error.h"
#include "weir/target/injection.h"
#include "weir/target/memory.h"
#include "weir/target/stop.h"

namespace weir::target {

struct ForkCopyOptions {
  /// The process runs again after this long. A copy that would take longer (estimate_fork_stop())
  /// is refused before anything is stopped; one that took longer is thrown away.
  Nanos max_stop{100'000'000};
};

/// A thread as it stood when the copy was made.
struct CopiedThread {
  StoppedThread thread;
  /// The words of its vector registers (NT_X86_XSTATE); only of threads outside a system call.
  std::vector<std::uint64_t> vectors;
};

/// What the copy takes, before it is made.
struct ForkEstimate {
  Nanos stop;
  std::uint64_t resident_bytes = 0;
  std::uint64_t page_table_bytes = 0;
};
/// From VmRSS and VmPTE of /proc/PID/status: 40 ms for each GB of resident memory and 1 ms. Errors:
/// those of /proc.
Result<ForkEstimate> estimate_fork_stop(int pid);

/// How: all threads are stopped, one of them is made to call clone() without CLONE_VM (Injection),
/// and all run again. The child has a copy of the memory as of that instant. It is traced by weir
/// from its first instruction on, executes none, gets no CPU time, shares the table of open files
/// (so a file or connection that the process closes is closed), and has no exit signal, so the
/// process learns nothing of it. It is killed at the end, and also when the process ends. Being a
/// child, it must then be waited for: one thread of the process is stopped once more for that.
///
/// If weir is killed on the way, the child dies with it (PTRACE_O_EXITKILL), or exits by itself
/// before it has that; all that stays of it is a zombie until the process ends.
class ForkCopy {
 public:
  /// Where to inject, told while the process is stopped.
  using Choose = std::function<Result<InjectionSite>(const StoppedProcess&)>;

  /// Errors: limit (max_stop), unsupported, denied, gone, io (clone failed: a limit on processes or
  /// memory, a seccomp filter).
  static Result<ForkCopy> take(int pid, const ForkCopyOptions& options, const Choose& choose);
  ForkCopy(ForkCopy&&) noexcept;
  ForkCopy& operator=(ForkCopy&&) noexcept;
  ~ForkCopy();

  /// Frozen; read by several threads at once. Reads fail with `gone` when the copy has been killed:
  /// by the kernel, or because the process has ended.
  Memory& memory();
  std::span<const CopiedThread> threads() const;
  /// Threads that could not be stopped: their registers are not known.
  std::span<const int> unstopped() const;
  /// How long the process stood.
  Nanos held() const;
  int child() const;

  /// Kills the child and has the process wait for it. Returns how long one thread of it stood for
  /// that; nothing if the child stays a zombie of the process (that thread did not stand still).
  std::optional<Nanos> end();

 private:
  struct State;
  explicit ForkCopy(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::target
