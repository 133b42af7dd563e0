#pragma once
// Decider: which of several alternatives a run takes. One implementation, used by the agent in the
// process and by weir's own tests; it needs no library and no memory but its own.
#include <cstdint>

#include "weir/sched/agent/memory.h"

namespace weir::sched::agent {

/// A random number generator whose sequence is part of what a seed means: splitmix64 (Steele, Lea,
/// Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, n); n is at least 1. The bias is below 2^-32 for the n that occur here.
  std::uint32_t below(std::uint64_t n) {
    return static_cast<std::uint32_t>((next() >> 32) * n >> 32);
  }

 private:
  std::uint64_t state_;
};

class Decider {
 public:
  static constexpr std::uint32_t deepest = 16;  ///< PCT
  /// So many points one goroutine may go on while others could. Go's own scheduler takes a
  /// goroutine off after 10 ms (forcePreemptNS, src/runtime/proc.go, go1.19–1.27), and a point
  /// stands for a microsecond or so. Without it, one that spins until another has done something
  /// would spin for ever where it comes first.
  static constexpr std::uint32_t longest_turn = 10'000;

  /// `choices`: Request::choices of them, which must outlive the decider.
  Decider(const Request& request, const std::uint32_t* choices)
      : request_(request), choices_(choices), random_(request.seed) {
    if (request.strategy == Strategy::random) odds_ = 2ULL << random_.below(4);
    if (request.strategy != Strategy::pct) return;
    if (request_.depth > deepest) request_.depth = deepest;
    for (std::uint32_t i = 1; i < request_.depth; ++i) insert_change(i - 1);
  }

  /// An index below `n` (at least 2); 0 leaves things as Go has them. `goids`: of the alternatives,
  /// the first of which goes on if nothing is done; of no meaning for a select.
  std::uint32_t choose(PointKind kind, const std::uint64_t* goids, std::uint32_t n) {
    const std::uint32_t choice = decide(kind, goids, n);
    return kind == PointKind::select ? choice : end_long_turn(choice, goids, n);
  }

 private:
  std::uint32_t decide(PointKind kind, const std::uint64_t* goids, std::uint32_t n) {
    switch (request_.strategy) {
      case Strategy::fixed: {
        if (next_ >= request_.choices) return 0;
        const std::uint32_t choice = choices_[next_++];
        return choice < n ? choice : 0;
      }
      case Strategy::random:
        if (kind != PointKind::operation) return random_.below(n);
        if (random_.below(odds_) != 0) return 0;
        return 1 + random_.below(n - 1);
      case Strategy::pct:
        break;
    }
    return kind == PointKind::select ? random_.below(n) : choose_by_priority(goids, n);
  }

  /// A choice of another one than Go's is left alone; so a replay, which makes the choices of the
  /// first run, sees turns end where they did.
  std::uint32_t end_long_turn(std::uint32_t choice, const std::uint64_t* goids, std::uint32_t n) {
    if (goids[choice] != turn_of_) {
      turn_of_ = goids[choice];
      turn_ = 0;
    }
    if (++turn_ <= longest_turn) return choice;
    if (request_.strategy == Strategy::pct) {
      lower(turn_of_);
      choice = pick(goids, n);
    } else if (choice == 0) {
      choice = 1;
    }
    turn_of_ = goids[choice];
    turn_ = 1;
    return choice;
  }

  // At which points; ascending.
  void insert_change(std::uint32_t count) {
    const std::uint64_t step = random_.below(request_.length == 0 ? 1 : request_.length);
    std::uint32_t at = count;
    for (; at > 0 && changes_[at - 1] > step; --at) changes_[at] = changes_[at - 1];
    changes_[at] = step;
  }

  std::uint32_t choose_by_priority(const std::uint64_t* goids, std::uint32_t n) {
    std::uint32_t best = pick(goids, n);
    if (changed_ + 1 < request_.depth && steps_ >= changes_[changed_]) {
      ++changed_;
      lower(goids[best]);
      best = pick(goids, n);
    }
    ++steps_;
    return best;
  }
  // Of those that were lowered before, the first is forgotten if there are too many.
  void lower(std::uint64_t goid) {
    std::uint32_t at = 0;
    while (at < lowered_count_ && lowered_[at] != goid) ++at;
    if (at == deepest) at = 0;
    if (at == lowered_count_) ++lowered_count_;
    for (; at + 1 < lowered_count_; ++at) lowered_[at] = lowered_[at + 1];
    lowered_[at] = goid;
  }
  std::uint32_t pick(const std::uint64_t* goids, std::uint32_t n) const {
    std::uint32_t best = 0;
    for (std::uint32_t i = 1; i < n; ++i)
      if (priority(goids[i]) > priority(goids[best])) best = i;
    return best;
  }
  // The one that was lowered last is the lowest. All others have a random priority of their own.
  std::uint64_t priority(std::uint64_t goid) const {
    for (std::uint32_t i = lowered_count_; i > 0; --i)
      if (lowered_[i - 1] == goid) return deepest - i;
    Random own(request_.seed ^ goid * 0xd1342543de82ef95);
    return deepest + own.next() / 2;
  }

  Request request_;
  const std::uint32_t* choices_;
  Random random_;
  std::uint32_t next_ = 0;               // fixed
  std::uint64_t odds_ = 2;               // random
  std::uint64_t changes_[deepest] = {};  // pct: at which steps
  std::uint64_t lowered_[deepest] = {};  // pct: goids, in this order
  std::uint32_t changed_ = 0, lowered_count_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t turn_of_ = 0;  // who went on at the last points,
  std::uint32_t turn_ = 0;     // and how many there were
};

}  // namespace weir::sched::agent
