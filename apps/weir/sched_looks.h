#pragma once
// Looks at a program's goroutines when its scheduler stands still.
#include <sys/types.h>

#include <set>
#include <vector>

#include "weir/model/sched_look.h"

namespace weir::app {

/// One look for each stall (stalled or frozen) when its verdict falls, a few in all: each stops the
/// program for a moment.
class SchedLooks {
 public:
  static constexpr std::size_t most = 5;

  /// The next sample of `program`. Looks if that makes a stall.
  void take(const model::SchedSample& sample, pid_t program);
  const std::vector<model::SchedLook>& looks() const { return looks_; }

 private:
  std::vector<model::SchedSample> recent_;
  std::set<model::SchedVerdictKind> lasting_;  ///< what held at the sample before
  std::vector<model::SchedLook> looks_;
};

}  // namespace weir::app
