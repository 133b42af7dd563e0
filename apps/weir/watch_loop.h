#pragma once
// The loop of `weir watch`: all targets at once, until their series are over or a signal comes.
#include <functional>
#include <string>
#include <vector>

#include "apps/weir/watched_target.h"

namespace weir::app {

/// Blocks SIGINT, SIGTERM and SIGHUP for this thread and those it starts, and waits for them.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();
  /// Waits so long at most, in milliseconds; whether one of them has come, now or before.
  bool wait(int milliseconds);

 private:
  bool came_ = false;
};

/// Called with each look as it is done.
using OnLook = std::function<Result<void>(WatchedTarget&, const WatchOutcome&)>;

/// Runs until every series is over (they are marked so), or a signal came (they can be resumed).
/// Errors: those of History and of `on_look`.
Result<void> watch_all(std::vector<WatchedTarget>& targets, ingest::EvidenceOptions options,
                       store::History& history, StopSignals& signals, const OnLook& on_look);

/// The wall clock.
Nanos now();

}  // namespace weir::app
