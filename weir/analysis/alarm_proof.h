#pragma once
// What a proof says of the group that an alarm of `weir watch` is about.
#include <string>

#include "weir/model/leaks.h"
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"
#include "weir/model/watch.h"

namespace weir::analysis {

/// By reachability, of the snapshot's goroutines with the fingerprint `subject`; of all when it is
/// empty.
model::AlarmProof alarm_proof(const model::Snapshot& snapshot, const model::Proof& proof,
                              const std::string& subject);

/// By the program's own runtime. It says nothing of those that are not leaked.
model::AlarmProof alarm_proof(const model::RuntimeLeaks& leaks, const std::string& subject);

}  // namespace weir::analysis
