#pragma once
// Goroutines of one Snapshot by fingerprint.
#include <cstddef>
#include <optional>
#include <vector>

#include "weir/analysis/attribution.h"
#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Indices are into Snapshot::goroutines. `members` is ascending and never empty; `exemplar` is the
/// member with the longest known wait, else the first.
struct Group {
  model::Fingerprint fingerprint;
  std::vector<std::size_t> members;
  std::size_t exemplar = 0;
  std::optional<Nanos> oldest;
  std::vector<model::TestShare> tests;  ///< largest first, then by name; empty without attribution
};

/// Groups the goroutines `chosen` (indices), largest group first, then by key. `attribution` may be
/// null.
std::vector<Group> group(const model::Snapshot& snapshot, const std::vector<std::size_t>& chosen,
                         const Attribution* attribution = nullptr);

}  // namespace weir::analysis
