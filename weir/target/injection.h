#pragma once
// Injection: has one stopped thread of another process make one system call, and puts it back.
// amd64 only.
#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::target {

/// Code and memory of the target that an injection uses. Who knows the target's language finds
/// them.
struct InjectionSite {
  int tid = 0;  ///< a thread that stands because of PTRACE_INTERRUPT
  /// Memory nobody reads that the thread may use for a while: [scratch, scratch + scratch_size).
  Address scratch;
  std::uint64_t scratch_size = 0;
  Address system_call;  ///< a SYSCALL instruction; after it, with a result that is not 0, a store
                        ///< of 4 bytes to rsp + 48 at most, then RET
  Address child_exit;   ///< code that ends the calling thread at once, for a result of 0: the code
                        ///< after the SYSCALL then sets rsp to rsi and jumps to r12 if r13 is 0
  Address pop_return;   ///< code that pops pop_size bytes, BP among them or not; RET
  std::uint64_t pop_size = 0;  ///< at least 48
  Address signal_return;       ///< code that makes the system call rt_sigreturn
};

/// Why the thread can be let go at any moment, by the kernel too when weir is killed: before its
/// registers are changed, a signal frame with the true ones is written to the scratch memory, and
/// the stack pointer set so that the code after the SYSCALL instruction returns into rt_sigreturn,
/// which restores them (vector registers and signal mask with them). A child made by an injected
/// clone that nobody traces runs into child_exit. Source of truth for the frame: struct
/// rt_sigframe, arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h, Linux.
class Injection {
 public:
  /// Prepares everything and changes nothing yet but the scratch memory. The calling thread must
  /// trace site.tid. Errors: unsupported (architecture), gone, io.
  static Result<Injection> prepare(int pid, const InjectionSite& site);

  struct Outcome {
    std::int64_t result = 0;  ///< of the system call: a negative errno on failure
    pid_t child = 0;          ///< of a clone: attached to, not waited for
  };
  /// Makes the call; afterwards the thread stands as it stood before, with its own registers and
  /// signal mask. A signal that came meanwhile is in pending_signal(). Errors: gone; io when the
  /// thread did not do as expected: it is still left as it was.
  Result<Outcome> call(std::uint64_t number, const std::uint64_t (&arguments)[6]);
  /// To be delivered when the thread is let go: SIGSTOP cannot be masked. 0: none.
  int pending_signal() const { return pending_signal_; }

  /// For tests: only sets the registers, as call() does first. The thread is to be detached then.
  Result<void> begin(std::uint64_t number, const std::uint64_t (&arguments)[6]);

 private:
  Injection(int pid, const InjectionSite& site) : pid_(pid), site_(site) {}
  Result<void> write_frame();
  Result<void> run(Outcome& outcome);
  Result<int> next_stop();
  Result<void> restore();

  int pid_;
  InjectionSite site_;
  user_regs_struct registers_{};
  std::uint64_t mask_ = 0;
  Address frame_;
  int pending_signal_ = 0;
};

/// Lets go of nothing and waits without being disturbed by signals: waitpid() for one thread.
Result<int> wait_for_stop(pid_t tid);

}  // namespace weir::target
