#include "weir/analysis/lock_owner.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::analysis {

using model::Goroutine;
using model::HeldLock;
using model::WaitKind;

namespace {

bool waits_for_lock(const Goroutine& goroutine) {
  if (!goroutine.blocked_on || !goroutine.blocked_on->object) return false;
  const WaitKind kind = goroutine.blocked_on->kind;
  return kind == WaitKind::mutex || kind == WaitKind::rwmutex_lock ||
         kind == WaitKind::rwmutex_rlock;
}

bool refers_to(const Goroutine& goroutine, Address object) {
  return std::binary_search(goroutine.refers_to.begin(), goroutine.refers_to.end(), object);
}

/// A lock of this kind keeps a waiter waiting.
bool excludes(const HeldLock& held, bool readers_wait) {
  return !readers_wait || held.kind != WaitKind::rwmutex_rlock;
}

}  // namespace

LockOwners::LockOwners(std::vector<const Goroutine*> goroutines)
    : goroutines_(std::move(goroutines)) {
  for (const Goroutine* goroutine : goroutines_)
    if (waits_for_lock(*goroutine)) locks_.insert(goroutine->blocked_on->object);
  for (std::size_t i = 0; i < goroutines_.size(); ++i) {
    const Goroutine& goroutine = *goroutines_[i];
    if (goroutine.holds.empty()) continue;
    std::set<Address> could;
    for (const HeldLock& held : goroutine.holds)
      if (held.object && locks_.contains(held.object)) could.insert(held.object);
    for (const Address object : goroutine.refers_to)
      if (locks_.contains(object)) could.insert(object);
    for (const Address object : could) known_by_[object].push_back(i);
  }
}

/// A lock that is a variable is named by the code. Of any other the code tells only that some lock
/// is held: then it is this one if the goroutine's stack leads to no more locks than it holds, the
/// one it waits for left out, which is rarely the one it holds.
bool LockOwners::may_hold(std::size_t i, Address lock, bool readers_wait) const {
  const Goroutine& goroutine = *goroutines_[i];
  std::size_t unnamed = 0;
  for (const HeldLock& held : goroutine.holds) {
    if (!excludes(held, readers_wait)) continue;
    if (held.object == lock) return true;
    unnamed += held.object ? 0 : 1;
  }
  if (unnamed == 0 || !refers_to(goroutine, lock)) return false;
  const Address own = waits_for_lock(goroutine) ? goroutine.blocked_on->object : Address{};
  const auto choices = static_cast<std::size_t>(
      std::count_if(goroutine.refers_to.begin(), goroutine.refers_to.end(),
                    [&](Address at) { return at != own && locks_.contains(at); }));
  return lock != own && choices <= unnamed;
}

std::vector<std::size_t> LockOwners::of(std::size_t waiter) const {
  std::vector<std::size_t> owners;
  const Goroutine& waits = *goroutines_[waiter];
  if (!waits_for_lock(waits)) return owners;
  const Address lock = waits.blocked_on->object;
  const auto known = known_by_.find(lock);
  if (known == known_by_.end()) return owners;
  const bool reader = waits.blocked_on->kind == WaitKind::rwmutex_rlock;
  for (const std::size_t i : known->second)
    if (may_hold(i, lock, reader)) owners.push_back(i);
  return owners;
}

std::string LockOwners::because(std::size_t owner, Address lock) const {
  const HeldLock* best = nullptr;
  for (const HeldLock& held : goroutines_[owner]->holds)
    if (held.object == lock || (!held.object && best == nullptr)) best = &held;
  if (best == nullptr) return {};
  const bool reads = best->kind == WaitKind::rwmutex_rlock;
  const auto slash = best->file.rfind('/');
  return fmt::format("it is in {}, between {} ({}:{}) and {}", best->function,
                     reads ? "RLock" : "Lock",
                     slash == std::string::npos ? best->file : best->file.substr(slash + 1),
                     best->line, reads ? "RUnlock" : "Unlock");
}

}  // namespace weir::analysis
