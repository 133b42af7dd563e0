#pragma once
// Chooser: how a run comes to its choices. The agent makes them in the process (agent/decider.h).
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/sched/agent/memory.h"

namespace weir::sched {

struct Chooser {
  agent::Strategy strategy = agent::Strategy::fixed;
  std::uint64_t seed = 0;
  unsigned depth = 0;                    ///< pct
  std::size_t length = 0;                ///< pct: of a run, in choice points
  std::vector<std::uint32_t> choices{};  ///< fixed
};

/// Takes given choices, then Go's own. A choice that is out of range is taken as 0.
class FixedChooser : public Chooser {
 public:
  explicit FixedChooser(std::vector<std::uint32_t> given) { choices = std::move(given); }
};

/// A random walk: who runs next and which ready case a select takes is uniform, and before an
/// operation another goroutine is let in with a probability that is itself drawn for each run (1/2,
/// 1/4, 1/8 or 1/16).
inline Chooser random_chooser(std::uint64_t seed) {
  return {agent::Strategy::random, seed};
}

/// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): goroutines have random
/// priorities, and at depth - 1 random points among `length` the running one falls to the lowest,
/// as it does where it goes on for too long (agent::Decider::longest_turn).
inline Chooser pct_chooser(std::uint64_t seed, unsigned depth, std::size_t length) {
  return {agent::Strategy::pct, seed, depth, length};
}

}  // namespace weir::sched
