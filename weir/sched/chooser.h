#pragma once
// Chooser: decides at each point of a run which goroutine goes on.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "weir/base/address.h"

namespace weir::sched {

/// Two or more goroutines could run.
struct ChoicePoint {
  /// True: enabled[0] runs, and is about to do something that others can see. False: somebody has
  /// to be picked, and enabled[0] is the one Go would take.
  bool preemption = false;
  std::span<const Goid> enabled;  ///< then the others in the order in which Go would take them
};

class Chooser {
 public:
  virtual ~Chooser() = default;
  /// An index into point.enabled; 0 leaves things as Go has them.
  virtual std::size_t choose(const ChoicePoint& point) = 0;
};

/// A random number generator whose sequence is part of what a seed means: splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [0, n); n is at least 1. The bias is below 2^-32 for the n that occur here.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }

 private:
  std::uint64_t state_;
};

/// Takes given choices, then Go's own. A choice that is out of range is taken as 0.
class FixedChooser final : public Chooser {
 public:
  explicit FixedChooser(std::vector<std::uint32_t> choices) : choices_(std::move(choices)) {}
  std::size_t choose(const ChoicePoint& point) override;

 private:
  std::vector<std::uint32_t> choices_;
  std::size_t next_ = 0;
};

/// A random walk: who runs next is uniform, and before an operation another goroutine is let in
/// with a probability that is itself drawn for each run (1/2, 1/4, 1/8 or 1/16).
std::unique_ptr<Chooser> make_random_chooser(std::uint64_t seed);

/// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): goroutines have random
/// priorities, and at depth - 1 random points among `length` the running one falls to the lowest.
std::unique_ptr<Chooser> make_pct_chooser(std::uint64_t seed, unsigned depth, std::size_t length);

}  // namespace weir::sched
