#pragma once
// HookTable: where in a test binary weir wants to be asked: the places of the Go runtime that
// decide what runs next, and the operations before which another goroutine may be let in. Source of
// truth: src/runtime/{proc,chan,select,panic,netpoll_epoll,debug}.go, src/sync, go1.19–1.27;
// docs/go-runtime.md has the list with reasons.
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weir/gortime/atomic_sites.h"
#include "weir/gortime/program.h"

namespace weir::sched {

enum class HookKind : std::uint8_t {
  new_thread,    ///< runtime.newm: no sysmon
  start_thread,  ///< runtime.startm: whether an idle thread is there must not be a race
  processors,    ///< runtime.GOMAXPROCS: stays 1
  test_start,    ///< testing.tRunner
  execute,       ///< runtime.execute: who runs
  poll,          ///< runtime.netpoll: nobody can run before a timer fires
  operation,     ///< entry of a runtime or sync function
  atomic,        ///< an atomic instruction in compiled code
  fatal,         ///< runtime.fatal: the program's fault, deadlocks among them
  crash,         ///< runtime.throw: the runtime's own invariants are broken
  panic,         ///< runtime.fatalpanic: nobody recovered
  exit,          ///< os.Exit
  observation,   ///< the test does something that weir does not control: Hook::name says what
};

/// RAX, RBX: ABIInternal (cmd/compile/abi-internal.md).
enum class Argument : std::uint8_t { none, first, second };

struct Hook {
  HookKind kind = HookKind::operation;
  Address at;
  std::string name;           ///< "chan send", "sync.(*Mutex).Lock"; of an observation: what it is
  bool asks = true;           ///< another goroutine may go on here; false: it is only noted
  bool checks_stack = false;  ///< a preempted goroutine begins this function anew
  /// The return address of the function is at RSP + this. Absent where the caller does not matter.
  std::optional<std::int32_t> caller;
  std::optional<gortime::AtomicSite> site;
  Argument object = Argument::none;  ///< which argument is what is operated on
};

/// The name of the observation that makes the agent let the world outside have its say.
inline constexpr const char* observation_outside = "files or the network";
inline constexpr const char* observation_c = "C code";
/// What depends on the order of operations and is none itself: timers, and ways to a channel or a
/// goroutine that weir has no points on. Nothing about the outside: it is not told of.
inline constexpr const char* observation_unordered = "what has no order of operations";

struct HookTable {
  std::unordered_map<std::uint64_t, Hook> hooks;  ///< by address
  std::uint64_t hash = 0;                         ///< of all addresses and kinds
  std::size_t atomic_sites = 0;                   ///< where another goroutine may go on
  std::size_t unsafe_sites = 0;  ///< only noted: the runtime does not allow preemption there
  /// A TryLock that finds its lock taken is no point.
  bool tries_locks = false;
  std::optional<Address> sleep;  ///< time.Sleep
  Address sysmon;                ///< runtime.sysmon
  bool race = false;             ///< the program is built with -race
  /// runtime.newmHandoff.haveTemplateThread, by which the runtime knows that it has a thread that
  /// starts others in the place of locked ones.
  std::optional<Address> template_thread;

  const Hook* find(Address at) const;
};

/// Errors: unsupported (not amd64; no test binary; a function that has to be hooked is missing).
Result<HookTable> build_hooks(const gortime::Program& program);

/// Package sync, and what it is made of.
bool is_sync(std::string_view package);

/// False for packages between whose operations weir does not switch: the runtime, package testing,
/// and those of the standard library that only use locks for their own sake (fmt, os, reflect …).
bool is_explored(std::string_view package);

}  // namespace weir::sched
