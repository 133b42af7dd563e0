#pragma once
// What `weir why` answers: who waits for whom.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"

namespace weir::model {

/// A goroutine, as short as a person names it.
struct WhyGoroutine {
  Goid id;
  std::string state;  ///< Go's words
  CodePlace where;    ///< the innermost function of the user
  CodePlace created;
};

/// Why a goroutine may be the one that wakes another.
enum class WakeRole : std::uint8_t {
  refers,  ///< its stack leads to the object
  owner,   ///< it likely holds the lock: by the code it is in, or no other stack leads there
};

struct Waker {
  Goid id;
  WakeRole role = WakeRole::refers;
  std::string because;  ///< a clause, of an owner
};

/// What may wake a goroutine and is none itself.
enum class OutsideKind : std::uint8_t {
  variable,  ///< a package's variable leads to the object, so anybody may have it
  timer,     ///< a pending timer's function leads to it, or ends a sleep
  poller,    ///< the network poller, when the file descriptor is ready
};
/// "variable", "timer", "poller".
std::string_view to_string(OutsideKind kind);

struct OutsideWaker {
  OutsideKind kind = OutsideKind::variable;
  std::string text;               ///< "global main.queue", "timer that calls main.expire"
  std::optional<Nanos> fires_in;  ///< a timer's; negative = due
};

/// One object that goroutines are blocked on, and who could wake them.
struct WhyObject {
  std::string text;           ///< "chan int 0xc000012345 (unbuffered)", "sync.Mutex 0xc…"
  std::vector<Goid> waiters;  ///< ascending
  std::vector<Waker> wakers;  ///< ascending; not the waiters of the same side
  std::vector<OutsideWaker> outside;
  bool lock = false;   ///< a Mutex or RWMutex, which somebody holds
  bool never = false;  ///< a nil channel or `select {}`: nothing can wake them
};

/// One step of a cycle: `waiter` is blocked on `object`, which `next` of the cycle could free.
struct WhyStep {
  Goid waiter;
  std::string blocked_on;
  WakeRole role = WakeRole::refers;
  std::string because;  ///< as in Waker
};

struct WhyCycle {
  std::vector<WhyStep> steps;  ///< the last one waits for the first
  /// What people call it: "two locks taken in opposite order"; empty if it has no name.
  std::string shape;
  Certainty certainty = Certainty::possible;
  std::string because;  ///< why it is that certain, in words
  /// Something beside these goroutines leads to a channel of it, and others can go on: one of those
  /// may end it any time, so it is no deadlock.
  bool open = false;
};

enum class DeadlockKind : std::uint8_t {
  none,     ///< something of the program can go on, and no cycle but open ones was found
  partial,  ///< a cycle that is not open, while other goroutines can go on
  global,   ///< no goroutine can go on
};
/// "none", "partial", "global".
std::string_view to_string(DeadlockKind kind);

/// What keeps the runtime's own deadlock check (checkdead) silent.
enum class SilenceReason : std::uint8_t {
  runs,         ///< a goroutine can run
  system_call,  ///< a thread is in a system call
  poller,       ///< a thread waits in the network poller
  timer,        ///< one is pending
  signals,      ///< os/signal listens
  cgo,          ///< a thread that is never idle
  unknown,
};
/// "runs", "system_call", "poller", "timer", "signals", "cgo", "unknown".
std::string_view to_string(SilenceReason reason);

/// Empty when there is nothing to explain.
struct RuntimeCheck {
  std::vector<SilenceReason> silent;
  std::string text;
};

struct WhyReport {
  Source source;
  DeadlockKind deadlock = DeadlockKind::none;
  std::vector<WhyGoroutine> goroutines;  ///< all that are not the runtime's own, ascending
  /// Most waiters first; file descriptors and sleeps come last.
  std::vector<WhyObject> objects;
  bool variables_known = false;        ///< what variables lead to was looked at
  std::vector<WhyCycle> cycles;        ///< shortest first, open ones last
  std::optional<Nanos> looked_again;   ///< Snapshot::looked_again
  std::vector<std::string> can_go_on;  ///< "goroutine 1 sleeps (main.main a.go:7)"; at most ten
  std::uint64_t more_can_go_on = 0;
  RuntimeCheck runtime_check;
  std::optional<Proof> proof;  ///< where one was asked for
  Notes notes;
};

}  // namespace weir::model
