#pragma once
// Who likely holds a lock: Go records nobody, so it is told by code and by stacks.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "weir/model/snapshot.h"

namespace weir::analysis {

/// By the code a goroutine is in: between a Lock and its Unlock.
class LockOwners {
 public:
  /// `goroutines` are numbered by their place; they must outlive it.
  explicit LockOwners(std::vector<const model::Goroutine*> goroutines);

  /// Those that hold the lock that `waiter` waits for, as far as code tells: ascending; `waiter`
  /// itself too, if it has taken that lock before. Who only reads does not keep readers waiting.
  std::vector<std::size_t> of(std::size_t waiter) const;

  /// Why it is taken for the holder: "it is in main.f, between Lock (a.go:7) and Unlock".
  std::string because(std::size_t owner, Address lock) const;

 private:
  bool may_hold(std::size_t i, Address lock, bool readers_wait) const;

  std::vector<const model::Goroutine*> goroutines_;
  std::set<Address> locks_;                               ///< that somebody waits for
  std::map<Address, std::vector<std::size_t>> known_by_;  ///< lock → those who could hold it
};

}  // namespace weir::analysis
