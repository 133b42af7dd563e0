#pragma once
// Steps: a run as a partial order. A step is what one goroutine does from one moment to the next;
// it happens before another one of the same goroutine, before what it made able to run (a goroutine
// that it started or woke), and before what touches the same.
#include <optional>
#include <vector>

#include "weir/sched/footprint.h"
#include "weir/sched/moments.h"

namespace weir::sched {

struct Step {
  Goid goroutine;
  Footprint touches;
  std::optional<std::size_t> moment;  ///< of RunRecord::moments; none: the test's beginning
  /// Events among what it did at which a select chose one of several ready cases.
  std::vector<std::uint32_t> selects;
};

/// Two steps that touch the same and happen one right after the other, but for what has nothing to
/// do with them: they could come the other way round.
struct Race {
  std::size_t first, second;
};

class Steps {
 public:
  /// Nothing if the record does not tell what ran when.
  static std::optional<Steps> of(const RunRecord& record);

  const std::vector<Step>& all() const { return steps_; }
  /// Ordered by `second`.
  const std::vector<Race>& races() const { return races_; }
  /// Which goroutines may go on instead of `race.first` so that `race.second` comes before it:
  /// those that come first in what happened up to it and not because of race.first (the "initials"
  /// of Abdulla et al.). That of race.second is the first, if it is one of them.
  std::vector<Goid> reversals(const Race& race) const;

 private:
  void add_steps(const RunRecord& record, const Performed& performed);
  void find_enablers(const RunRecord& record);
  void order();
  void order(std::size_t number, std::optional<std::size_t> before);
  bool happens_before(std::size_t a, std::size_t b) const;
  std::size_t number_of(Goid goroutine);

  std::vector<Step> steps_;
  std::vector<std::optional<std::size_t>> enabled_by_;  ///< by step
  std::vector<Race> races_;
  std::vector<Goid> goroutines_;
  std::vector<std::size_t> owner_;  ///< of each step: index in goroutines_
  /// Of each step, for each goroutine: how many of the first steps of the run end with its last one
  /// that happens before this step, or is it.
  std::vector<std::vector<std::size_t>> clocks_;
};

}  // namespace weir::sched
