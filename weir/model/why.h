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
  owner,   ///< its stack, and no other outside the lock's queue, leads to a lock
};

struct Waker {
  Goid id;
  WakeRole role = WakeRole::refers;
};

/// One object that goroutines are blocked on, and who could wake them.
struct WhyObject {
  std::string text;           ///< "chan int 0xc000012345 (unbuffered)", "sync.Mutex 0xc…"
  std::vector<Goid> waiters;  ///< ascending
  std::vector<Waker> wakers;  ///< ascending; not the waiters of the same side
  bool lock = false;          ///< a Mutex or RWMutex, which somebody holds
  bool never = false;         ///< a nil channel or `select {}`: nothing can wake them
};

/// One step of a cycle: `waiter` is blocked on `object`, which `next` of the cycle could free.
struct WhyStep {
  Goid waiter;
  std::string blocked_on;
  WakeRole role = WakeRole::refers;
};

struct WhyCycle {
  std::vector<WhyStep> steps;  ///< the last one waits for the first
  /// What people call it: "two locks taken in opposite order"; empty if it has no name.
  std::string shape;
  Certainty certainty = Certainty::possible;
  std::string because;  ///< why it is that certain, in words
};

enum class DeadlockKind : std::uint8_t {
  none,     ///< something of the program can go on, and no cycle was found
  partial,  ///< a cycle, while other goroutines can go on
  global,   ///< no goroutine can go on
};
/// "none", "partial", "global".
std::string_view to_string(DeadlockKind kind);

struct WhyReport {
  Source source;
  DeadlockKind deadlock = DeadlockKind::none;
  std::vector<WhyGoroutine> goroutines;  ///< all that are not the runtime's own, ascending
  std::vector<WhyObject> objects;        ///< most waiters first
  std::vector<WhyCycle> cycles;          ///< shortest first
  std::vector<std::string> can_go_on;    ///< "goroutine 1 sleeps (main.main a.go:7)"; at most ten
  std::uint64_t more_can_go_on = 0;
  /// Why the runtime's own deadlock check (checkdead) has said nothing; empty when there is nothing
  /// to explain.
  std::string runtime_silent;
  std::optional<Proof> proof;  ///< where one was asked for
  Notes notes;
};

}  // namespace weir::model
