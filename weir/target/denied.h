#pragma once
// Why the kernel didn't let weir read or stop a process, and what to do about it.
#include <cstdint>

#include "weir/base/error.h"

namespace weir::target {

/// What was refused. Both need the same right (PTRACE_MODE_ATTACH); attaching also needs that
/// nobody else has attached.
enum class Access : std::uint8_t { read, attach };

/// The reason, looked up after the fact: an ErrorCode::denied whose `what` is the cause ("process
/// 7 (app) is already traced by process 9 (gdb)") and whose context is the remedy; or
/// ErrorCode::gone when the process has ended. `os_errno` is what the call failed with.
///
/// Source of truth: ptrace(2), "ptrace access mode checking". Looked at, in this order: existence
/// and state, TracerPid, Yama's ptrace_scope 3; then, with CAP_SYS_PTRACE: user namespaces,
/// seccomp, security modules; without: user ids, dumpability, capabilities of the target, user
/// namespaces, ptrace_scope 1 and 2, seccomp.
Error diagnose_denied(int pid, int os_errno, Access access = Access::read);

}  // namespace weir::target
