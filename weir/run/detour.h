#pragma once
// Detour: keeps the goroutine that is about to end its program asleep, inside the program, for as
// long as weir wants to watch the others.
#include <optional>

#include "weir/run/program.h"
#include "weir/target/tracee.h"

namespace weir::run {

/// Where the goroutine stands when it is caught.
enum class ExitKind : std::uint8_t {
  exit_called,    ///< at the first instruction of os.Exit(code)
  main_returned,  ///< main.main has just returned into runtime.main
};

/// The functions a detour may lead through. time.Sleep may be absent from a program.
struct DetourFunctions {
  Address exit;                  ///< os.Exit; 0 if absent
  std::optional<Address> sleep;  ///< time.Sleep
  Address yield;                 ///< runtime.Gosched
};

/// One goroutine at the end of its program. A detour is a call of time.Sleep made in the name of
/// the program, at a place where the program itself makes a call with at least one word of
/// arguments:
///
///   exit_called    the call of os.Exit becomes a call of time.Sleep with the same return address;
///                  when that returns, the goroutine is put back to os.Exit's entry
///   main_returned  the call of main.main is followed by one of time.Sleep with the same return
///                  address
///
/// So the return address, the stack map of the caller there and the caller's spill slot for the
/// argument are what the compiler made them, and the garbage collector, stack growth and traceback
/// see nothing unusual (ABIInternal: cmd/compile/abi-internal.md; go1.19–1.27 on amd64). The
/// goroutine really sleeps: it holds no P, so GOMAXPROCS=1 works, and timers fire. Without
/// time.Sleep, runtime.Gosched takes its place.
class Detour {
 public:
  /// `thread` is stopped at the place. Errors: unsupported (it does not run on its goroutine's own
  /// stack), those of reading.
  static Result<Detour> begin(target::Tracee& tracee, const Fields& fields,
                              const DetourFunctions& functions, ExitKind kind, pid_t thread);

  Goid goroutine() const { return goroutine_; }
  ExitKind kind() const { return kind_; }
  int code() const { return code_; }
  /// Where it comes back to: set a breakpoint there while it is away.
  Address comes_back_to() const { return return_to_; }

  /// Sends it away; resume the thread after. It is back at the next hit of comes_back_to() for
  /// which is_back() is true.
  Result<void> leave(pid_t thread, Nanos length);
  /// True if this stop at comes_back_to() is the goroutine itself in the same frame, not another
  /// one (or a deeper call) that came by.
  Result<bool> is_back(pid_t thread);
  /// True if the goroutine stands at os.Exit's entry in the frame where it was caught: it grew its
  /// stack there and begins the function again.
  Result<bool> is_same_exit(pid_t thread);
  /// Puts the goroutine where it was caught. To be called while it is away or at the place itself.
  Result<void> finish(pid_t thread);

 private:
  Detour(target::Tracee& tracee, const Fields& fields, const DetourFunctions& functions)
      : tracee_(&tracee), fields_(&fields), functions_(functions) {}
  struct Frame {
    Goid goroutine;
    std::uint64_t depth = 0;  ///< bytes from the stack pointer to the stack's high end
    bool on_stack = false;
  };
  Result<Frame> read_frame(const user_regs_struct& registers);
  Result<void> push_return(user_regs_struct& registers);

  target::Tracee* tracee_;
  const Fields* fields_;
  DetourFunctions functions_;
  ExitKind kind_ = ExitKind::exit_called;
  Goid goroutine_;
  int code_ = 0;
  Address return_to_;
  std::uint64_t caller_depth_ = 0;  ///< with the return address popped
  bool at_entry_ = false;           ///< stands at os.Exit's entry: the return address is pushed
};

}  // namespace weir::run
