#include "weir/sched/run.h"

#include <algorithm>
#include <array>

namespace weir::sched {

std::string_view to_string(Ending ending) {
  constexpr std::array<std::string_view, 13> words{
      "passed",      "failed",  "deadlock", "panic",   "fatal error", "leak", "data race",
      "not started", "crashed", "stalled",  "endless", "diverged",    "died"};
  return words.at(static_cast<std::size_t>(ending));
}

bool is_finding(Ending ending) {
  return ending == Ending::failed || ending == Ending::deadlock || ending == Ending::panic ||
         ending == Ending::fatal || ending == Ending::leak || ending == Ending::race;
}

bool is_unknown(Ending ending) {
  return !is_finding(ending) && ending != Ending::passed;
}

std::vector<std::uint32_t> RunRecord::choices() const {
  std::vector<std::uint32_t> all;
  for (const RunEvent& event : events)
    if (event.alternatives > 1) all.push_back(event.choice);
  return all;
}

std::size_t RunRecord::choice_points() const {
  return static_cast<std::size_t>(std::count_if(
      events.begin(), events.end(), [](const RunEvent& event) { return event.alternatives > 1; }));
}

}  // namespace weir::sched
