#pragma once
// In which order the operations of a run were performed. A RunEvent is noted when its goroutine
// asks; where another one goes on first, it is performed later. The agent's log of moments tells
// when: at each, one of the goroutines that can run goes on, up to the next.
#include <span>
#include <vector>

#include "weir/sched/run.h"

namespace weir::sched {

/// What one goroutine did between two moments.
struct Stretch {
  Goid goroutine;
  std::optional<std::size_t> moment;  ///< of RunRecord::moments; none: the test's beginning
  std::size_t from = 0, to = 0;       ///< of Performed::events
  bool at_operation = false;          ///< it begins with the operation that it had asked about
  bool hidden = false;                ///< it did something that is no event
};

struct Performed {
  std::vector<std::uint32_t> events;  ///< numbers of the operations, as they were performed
  std::vector<Stretch> stretches;
  /// False if what ran is not what the moments say. `events` is then as they were noted.
  bool regular = true;
};

/// Adds to `record` what the agent has logged (agent::LogHead). The words come from the process:
/// what cannot be is left out, and RunRecord::log_whole is false.
void read_log(std::span<const std::uint64_t> words, RunRecord& record);

Performed perform(const RunRecord& record);

}  // namespace weir::sched
