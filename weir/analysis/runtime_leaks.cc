#include "weir/analysis/runtime_leaks.h"

#include <algorithm>
#include <map>

#include "weir/analysis/fingerprint.h"

namespace weir::analysis {

model::RuntimeLeaks runtime_leaks(const model::Tally& tally) {
  model::RuntimeLeaks found;
  found.source = tally.source;
  found.notes = tally.notes;
  std::map<std::string, std::size_t> places;
  for (const model::TallyEntry& entry : tally.entries) {
    const model::Fingerprint print =
        fingerprint(entry.exemplar, {tally.knows.wait, tally.knows.creator});
    const auto [place, fresh] = places.try_emplace(print.id, found.leaks.size());
    if (fresh) found.leaks.push_back({print, 0, entry.exemplar});
    found.leaks[place->second].count += entry.count;
  }
  std::stable_sort(found.leaks.begin(), found.leaks.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return found;
}

}  // namespace weir::analysis
