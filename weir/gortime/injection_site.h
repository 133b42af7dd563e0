#pragma once
// Where in a Go program a system call can be injected (target/injection.h).
// Source of truth: runtime.clone and runtime.sigreturn__sigaction (sigreturn to 1.20),
// src/runtime/sys_linux_amd64.s, go1.19–1.27.
#include <span>

#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/target/injection.h"
#include "weir/target/memory.h"
#include "weir/target/stop.h"

namespace weir::gortime {

/// The code alone; the thread and its scratch memory are still open. Errors: unsupported (not
/// amd64, or code that weir does not know), those of reading.
Result<target::InjectionSite> find_injection_code(const Program& program, target::Memory& memory);

/// The threads and the pieces of code of the Go runtime, as InjectionSite says: `site` completed
/// with a thread of `stop` that belongs to the runtime, one inside a system call if there is one.
/// Its scratch memory is its stack for signal handlers (m.gsignal), which it does not stand on.
/// `go_id` tells the number that Go knows a thread by. Errors: not_found; those of reading.
Result<target::InjectionSite> choose_injection_thread(
    target::InjectionSite site, const Program& program, target::Memory& memory,
    std::span<const target::StoppedThread> threads, const std::function<int(int tid)>& go_id);

}  // namespace weir::gortime
