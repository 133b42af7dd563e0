#pragma once
// Why a goroutine lingers, in plain words, for the classic patterns. A table of small rules; the
// first that fits speaks. docs/causes.md lists them.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Who waits on one channel or lock.
struct Waiters {
  std::uint64_t senders = 0;
  std::uint64_t receivers = 0;
  std::uint64_t others = 0;  ///< of a lock, WaitGroup or Cond
};

/// Finds causes in one Snapshot, which must outlive it.
class CauseFinder {
 public:
  /// `end_of_program`: main, or all tests, are over, so that no new goroutine is to come.
  CauseFinder(const model::Snapshot& snapshot, bool end_of_program);

  /// The cause for goroutine `index`. Always gives one: code "unknown" when no rule fits. "proved"
  /// only for what nobody can ever wake: nil channels, `select {}`, and what Go's collector proved.
  model::Cause of(std::size_t index) const;

  const model::Snapshot& snapshot() const { return snapshot_; }
  bool end_of_program() const { return end_of_program_; }
  /// Who waits on `object`; all zero for an unknown address.
  Waiters waiters(Address object) const;
  /// User goroutines that may yet act: they run, sleep, wait for IO or are in a system call. Does
  /// not count goroutine 1 at the end of the program.
  std::uint64_t active() const { return active_; }
  /// User goroutines in all, without goroutine 1 at the end of the program.
  std::uint64_t users() const { return users_; }

 private:
  const model::Snapshot& snapshot_;
  bool end_of_program_;
  std::unordered_map<Address, Waiters> waiters_;
  std::uint64_t active_ = 0;
  std::uint64_t users_ = 0;
};

/// Every code there is, in the order of the table (docs/causes.md must have each).
std::vector<std::string_view> cause_codes();

}  // namespace weir::analysis
