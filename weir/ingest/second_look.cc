#include "weir/ingest/second_look.h"

#include <unordered_map>

namespace weir::ingest {

void mark_who_ran(const std::vector<CensusEntry>& census, Nanos after, model::Snapshot& snapshot) {
  std::unordered_map<std::uint64_t, std::uint64_t> parked;
  for (const CensusEntry& entry : census) parked[entry.id.value] = entry.parked_as;
  for (model::Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.wait_reason.empty() || goroutine.parked_as == 0) continue;
    const auto now = parked.find(goroutine.id.value);
    goroutine.ran_since = now == parked.end() || now->second != goroutine.parked_as;
  }
  snapshot.looked_again = after;
}

}  // namespace weir::ingest
