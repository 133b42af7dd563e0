#include "weir/analysis/schedule_leaks.h"

#include <algorithm>

#include "weir/analysis/group.h"

namespace weir::analysis {
namespace {

void judge(const model::Snapshot& snapshot, model::ExploreLeak& leak) {
  leak.certainty = model::Certainty::likely;
  if (!snapshot.proof) return;
  const model::Proof& proof = *snapshot.proof;
  if (!proof.refused.empty()) {
    leak.because = "nothing is proved, because " + proof.refused;
    return;
  }
  for (const Goid id : leak.goroutines) {
    const model::ProofGoroutine* one = proof.find(id);
    if (one == nullptr) return;
    leak.because = one->because;
    leak.path = one->path;
    if (one->verdict != model::ProofVerdict::proved) return;
  }
  leak.certainty = model::Certainty::proved;
}

}  // namespace

std::vector<model::ExploreLeak> schedule_leaks(const model::Snapshot& snapshot,
                                               std::span<const Goid> left) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < snapshot.goroutines.size(); ++i)
    if (std::find(left.begin(), left.end(), snapshot.goroutines[i].id) != left.end())
      chosen.push_back(i);
  std::vector<model::ExploreLeak> leaks;
  for (const Group& one : group(snapshot, chosen)) {
    model::ExploreLeak leak;
    leak.fingerprint = one.fingerprint;
    for (const std::size_t member : one.members)
      leak.goroutines.push_back(snapshot.goroutines[member].id);
    judge(snapshot, leak);
    leaks.push_back(std::move(leak));
  }
  return leaks;
}

}  // namespace weir::analysis
