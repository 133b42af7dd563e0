#pragma once
// FuncId: the functions that the Go runtime treats specially, the same for every Go version.
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::gosym {

/// runtime._func.funcID (internal/abi/symtab.go; runtime/symtab.go up to 1.20), renumbered: Go
/// itself numbers them anew when one is added.
enum class FuncId : std::uint8_t {
  normal,
  abort,
  asmcgocall,
  async_preempt,
  cgocallback,
  corostart,
  debug_call,
  gc_bg_mark_worker,
  goexit,
  gogo,
  gopanic,
  handle_async_event,
  mcall,
  morestack,
  mstart,
  panicwrap,
  rt0_go,
  run_finalizers,  ///< runfinq up to 1.24
  run_cleanups,
  runtime_main,
  sigpanic,
  systemstack,
  systemstack_switch,
  wrapper,  ///< generated code: method and ABI wrappers, hash and equality algorithms
  unknown,  ///< a number that this Go version does not use
};

/// The meaning of `raw` in Go 1.`go_minor`; versions newer than known are read as the newest known.
FuncId to_func_id(std::uint8_t raw, int go_minor);

/// Bits of runtime._func.flag (internal/abi: FuncFlag).
struct FuncFlags {
  std::uint8_t bits = 0;
  bool top_frame() const { return (bits & 1) != 0; }  ///< a stack ends here, successfully
  bool sp_write() const { return (bits & 2) != 0; }   ///< sets SP itself: unwinding stops here
  bool assembly() const { return (bits & 4) != 0; }
};

/// The name as the runtime prints it: type arguments become "[...]" (funcNameForPrint, since 1.21;
/// older linkers wrote it so). Since 1.27 a method of a generic type can have two such groups.
std::string name_for_print(std::string_view name, int go_minor);

}  // namespace weir::gosym
