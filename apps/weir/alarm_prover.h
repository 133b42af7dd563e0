#pragma once
// Proofs for alarms of `weir watch -proof`.
#include <string>
#include <vector>

#include "weir/ingest/evidence.h"
#include "weir/ingest/proven.h"
#include "weir/model/watch.h"

namespace weir::app {

/// Tries once to prove what the alarms of one look at `target` (a process id or a URL) are about,
/// and leaves in each of them what came of it: of a process by reachability in a copy of it, of a
/// URL by the program's own goroutineleak profile.
void prove_alarms(const std::string& target, const ingest::EvidenceOptions& evidence,
                  const ingest::ProofOptions& options, std::vector<model::WatchAlarm>& alarms);

}  // namespace weir::app
