#pragma once
// Dpor: schedules that together have every order of operations that matters, instead of every
// schedule: dynamic partial-order reduction (Flanagan, Godefroid, POPL 2005) with source sets and
// sleep sets (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014). Two schedules count as the same if one
// becomes the other by swapping neighbours of different goroutines that touch nothing in common
// (footprint.h).
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/sched/steps.h"

namespace weir::sched {

class Dpor {
 public:
  Dpor();
  ~Dpor();
  Dpor(const Dpor&) = delete;
  Dpor& operator=(const Dpor&) = delete;

  /// The choices of the next schedule; nothing if there is none. Only when ready(). They come in
  /// the order in which learn() found out that they are needed, however many run at a time.
  std::optional<std::vector<std::uint32_t>> next();
  /// What each schedule led to, in the order in which next() gave them.
  void learn(const RunRecord& record);
  /// False: what comes next depends on schedules that learn() was not told of yet.
  bool ready() const { return !waiting_.empty() || running_.empty(); }

  /// Every order was tried.
  bool complete() const { return waiting_.empty() && running_.empty() && !failed(); }
  /// Why nothing can be said about all orders; empty as long as it can. No schedules are added
  /// then.
  const std::string& failure() const { return failure_; }
  bool failed() const { return !failure_.empty(); }
  /// Schedules that next() gave.
  std::size_t tried() const { return tried_; }

 private:
  struct Node;
  struct Sleeper;
  /// A branch of a node; no node: the first schedule.
  struct Job {
    Node* node = nullptr;
    std::size_t branch = 0;
  };
  class Walk;
  void add(Node& node, Goid goroutine);
  void add(Node& node, std::size_t choice);
  void add_reversals(const Steps& steps, const Walk& walk);
  void fail(std::string reason);

  std::unique_ptr<Node> root_;
  std::deque<Job> waiting_;
  std::deque<Job> running_;  ///< given by next(), not yet learned from
  std::string failure_;
  std::size_t tried_ = 0;
  std::size_t kept_ = 0;
};

}  // namespace weir::sched
