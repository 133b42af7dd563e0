#include "weir/ingest/held_locks.h"

#include <algorithm>
#include <unordered_map>

#include "weir/gortime/held_locks.h"

namespace weir::ingest {
namespace {

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

std::vector<HeldLock> held_at(const gortime::Program& program, Address pc) {
  std::vector<HeldLock> held;
  const LinkAddr at = program.bias().to_link(pc - 1);
  const auto function = program.table().find_function(at);
  if (!function || is_lock_code(function->name)) return held;
  for (const LockCall& call :
       gortime::find_held_locks(program.file(), program.table(), *function, at))
    held.push_back({kind_of(call.kind),
                    call.fixed.value != 0 ? program.bias().to_run(call.fixed) : Address{},
                    gosym::name_for_print(function->name, program.go_minor()),
                    std::string(call.line.file), call.line.line});
  return held;
}

}  // namespace

void find_held_locks(const gortime::Program& program, model::Snapshot& snapshot) {
  if (std::none_of(snapshot.goroutines.begin(), snapshot.goroutines.end(), waits_for_lock)) return;
  std::unordered_map<Address, std::vector<HeldLock>> known;
  for (Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || !goroutine.stack) continue;
    for (auto frame = goroutine.stack->rbegin(); frame != goroutine.stack->rend(); ++frame) {
      if (frame->inlined || !frame->pc) continue;
      const auto [entry, fresh] = known.try_emplace(frame->pc);
      if (fresh) entry->second = held_at(program, frame->pc);
      goroutine.holds.insert(goroutine.holds.end(), entry->second.begin(), entry->second.end());
    }
  }
}

}  // namespace weir::ingest
