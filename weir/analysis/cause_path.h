#pragma once
// The way from a group that grows to its probable cause, as a person would walk it; docs/watch.md
// draws it:
//
//   same call chain? ─ yes ─ shared channel or WaitGroup? ─ yes ─ is close() skipped?
//         │ no                          │ no
//         └─────────────┬───────────────┘
//   HTTP handler without defer, body not closed? ─ no ─ timers? ─ no ─ unknown
#include <string>
#include <vector>

#include "weir/model/tally.h"
#include "weir/model/watch.h"

namespace weir::analysis {

/// `subject` is the fingerprint id of the group in `now`; `changes` is what changed in the series.
model::CausePath walk_cause_path(const model::Tally& now, const std::string& subject,
                                 const std::vector<model::WatchChange>& changes);

/// The exemplar of the subject's largest entry; null if there is none.
const model::Goroutine* find_exemplar(const model::Tally& now, const std::string& subject);

}  // namespace weir::analysis
