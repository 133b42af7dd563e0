#pragma once
// Whether anything in a process can still make progress, and who waits for what. The simple form:
// it looks at what each goroutine waits on, not at what live memory can reach.
#include <optional>
#include <string>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// A timer that the runtime will fire.
struct PendingTimer {
  std::string function;  ///< runtime.timer.f: "time.goFunc", "time.sendTime"; empty if unknown
  std::string calls;     ///< what goFunc calls ("testing.(*M).startAlarm.func1"); may be empty
  std::optional<Nanos> fires_in;
};

/// What a Snapshot does not hold.
struct WakeFacts {
  bool timers_known = false;
  std::vector<PendingTimer> timers;
};

/// Stuck: every user goroutine is parked on something that only another goroutine could give. The
/// alarm of go test's -timeout does not count as progress, nor do signals. With unknown timers the
/// certainty is "possible", else "likely".
model::StuckDiagnosis diagnose_stuck(const model::Snapshot& snapshot, const WakeFacts& facts);

}  // namespace weir::analysis
