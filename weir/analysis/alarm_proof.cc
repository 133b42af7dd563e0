#include "weir/analysis/alarm_proof.h"

#include "weir/analysis/fingerprint.h"

namespace weir::analysis {

model::AlarmProof alarm_proof(const model::Snapshot& snapshot, const model::Proof& proof,
                              const std::string& subject) {
  model::AlarmProof out;
  out.refused = proof.refused;
  out.stopped = proof.stopped;
  if (!out.refused.empty()) return out;
  for (const model::Goroutine& goroutine : snapshot.goroutines) {
    const model::ProofGoroutine* one = proof.find(goroutine.id);
    if (one == nullptr) continue;
    const bool proved = one->verdict == model::ProofVerdict::proved;
    out.proved_in_all += proved ? 1 : 0;
    if (!subject.empty() && fingerprint(goroutine).id != subject) continue;
    out.proved += proved ? 1 : 0;
    if (one->verdict != model::ProofVerdict::held) continue;
    ++out.held;
    if (out.path.empty()) out.path = one->path;
  }
  return out;
}

model::AlarmProof alarm_proof(const model::RuntimeLeaks& leaks, const std::string& subject) {
  model::AlarmProof out;
  out.by_runtime = true;
  for (const model::RuntimeLeak& leak : leaks.leaks) {
    out.proved_in_all += leak.count;
    if (subject.empty() || leak.fingerprint.id == subject) out.proved += leak.count;
  }
  return out;
}

}  // namespace weir::analysis
