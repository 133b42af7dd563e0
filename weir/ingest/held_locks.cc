#include "weir/ingest/held_locks.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "weir/gortime/held_locks.h"

namespace weir::ingest {
namespace {

using gortime::GoroutineState;
using gortime::LockCall;
using gortime::LockKind;
using model::Goroutine;
using model::HeldLock;
using model::WaitKind;

bool waits_for_lock(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return false;
  const WaitKind kind = goroutine.blocked_on->kind;
  return kind == WaitKind::mutex || kind == WaitKind::rwmutex_lock ||
         kind == WaitKind::rwmutex_rlock;
}

WaitKind kind_of(LockKind kind) {
  switch (kind) {
    case LockKind::mutex:
      break;
    case LockKind::rwmutex_lock:
      return WaitKind::rwmutex_lock;
    case LockKind::rwmutex_rlock:
      return WaitKind::rwmutex_rlock;
  }
  return WaitKind::mutex;
}

/// Locks are taken by the code of packages beside these.
bool is_lock_code(std::string_view function) {
  return function.starts_with("runtime.") || function.starts_with("sync.") ||
         function.starts_with("internal/sync.");
}

/// A lock that the code at some pc holds.
struct HeldThere {
  HeldLock lock;
  std::optional<gortime::KeptAddress> kept;  ///< where the frame has the lock's address
};

std::vector<HeldThere> held_at(const gortime::Program& program, Address pc) {
  std::vector<HeldThere> held;
  const LinkAddr at = program.bias().to_link(pc - 1);
  const auto function = program.table().find_function(at);
  if (!function || is_lock_code(function->name)) return held;
  for (const LockCall& call :
       gortime::find_held_locks(program.file(), program.table(), *function, at))
    held.push_back(
        {{kind_of(call.kind), call.fixed.value != 0 ? program.bias().to_run(call.fixed) : Address{},
          gosym::name_for_print(function->name, program.go_minor()), std::string(call.line.file),
          call.line.line},
         call.kept});
  return held;
}

/// The frames of goroutines at rest, to read what they keep.
class Frames {
 public:
  Frames(const std::vector<GoroutineState>& states, gortime::Unwinder& unwinder)
      : unwinder_(unwinder) {
    for (const GoroutineState& state : states) states_[state.id.value] = &state;
  }

  /// In the frame that stands at `pc`; 0 if there are none or several, or the word isn't there.
  Address read(const Goroutine& goroutine, Address pc, const gortime::KeptAddress& kept) {
    const auto found = states_.find(goroutine.id.value);
    if (found == states_.end()) return {};
    const GoroutineState& state = *found->second;
    if (state.status != gortime::GStatus::waiting) return {};
    const gortime::StackWords words{state.stack_at, state.stack};
    const auto unwound =
        unwinder_.unwind(words, {state.sched_pc, state.sched_sp, {}, false, false}, most_frames);
    std::optional<Address> bottom;
    for (std::size_t i = 0; i < unwound.frames.size(); ++i) {
      if (unwound.frames[i].pc != pc) continue;
      if (bottom) return {};
      bottom = unwound.bottoms[i];
    }
    if (!bottom) return {};
    const auto word = words.find(*bottom + static_cast<std::uint64_t>(kept.slot));
    return word && *word != 0 ? Address{*word + kept.plus} : Address{};
  }

 private:
  static constexpr std::size_t most_frames = 1024;

  gortime::Unwinder& unwinder_;
  std::unordered_map<std::uint64_t, const GoroutineState*> states_;
};

}  // namespace

void find_held_locks(const std::vector<GoroutineState>& states, const gortime::Program& program,
                     gortime::Unwinder& unwinder, model::Snapshot& snapshot) {
  if (std::none_of(snapshot.goroutines.begin(), snapshot.goroutines.end(), waits_for_lock)) return;
  Frames frames(states, unwinder);
  std::unordered_map<Address, std::vector<HeldThere>> known;
  for (Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || !goroutine.stack) continue;
    for (auto frame = goroutine.stack->rbegin(); frame != goroutine.stack->rend(); ++frame) {
      if (frame->inlined || !frame->pc) continue;
      const auto [entry, fresh] = known.try_emplace(frame->pc);
      if (fresh) entry->second = held_at(program, frame->pc);
      for (const HeldThere& there : entry->second) {
        goroutine.holds.push_back(there.lock);
        if (there.kept)
          goroutine.holds.back().object = frames.read(goroutine, frame->pc, *there.kept);
      }
    }
  }
}

}  // namespace weir::ingest
