#pragma once
// DelayBounded: all schedules that differ from Go's own order by a bounded number of delays, each
// once (Emmi, Qadeer, Rakamarić: "Delay-bounded scheduling", POPL 2011). A delay passes over one
// goroutine: choice k at a point costs k.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "weir/sched/run.h"

namespace weir::sched {

class DelayBounded {
 public:
  /// Bounds 0 … `last`.
  explicit DelayBounded(unsigned last);

  /// The choices of the next schedule; nothing when the last bound is exhausted, or when no
  /// schedule of any bound is left. Only when ready().
  std::optional<std::vector<std::uint32_t>> next();
  /// What each schedule led to, in the order in which next() gave them.
  void learn(const RunRecord& record);
  /// False: what comes next depends on schedules that learn() was not told of yet.
  bool ready() const;

  /// The highest bound of which all schedules have run.
  std::optional<unsigned> exhausted() const { return exhausted_; }
  /// No schedule of a higher bound exists either.
  bool complete() const { return complete_; }
  /// Schedules tried up to that bound.
  std::size_t exhausted_after() const { return exhausted_after_; }
  /// True if there were more schedules than weir keeps in mind: nothing more is exhausted then.
  bool overflowed() const { return overflowed_; }

 private:
  /// Choices other than 0, by number of the choice point, ascending.
  using Deviations = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  void close_bounds();

  unsigned last_;
  unsigned bound_ = 0;
  std::map<unsigned, std::deque<Deviations>> waiting_;  ///< by cost
  std::deque<Deviations> running_;  ///< given by next(), not yet learned from; all of one bound
  std::optional<unsigned> exhausted_;
  bool complete_ = false;
  bool overflowed_ = false;
  std::size_t tried_ = 0;
  std::size_t exhausted_after_ = 0;
  std::size_t kept_ = 0;
};

}  // namespace weir::sched
