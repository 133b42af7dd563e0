#pragma once
// TraceStacks: time by stack, counted as `go tool trace -pprof` counts it.
#include <vector>

#include "weir/analysis/trace_tally.h"
#include "weir/model/trace_totals.h"

namespace weir::analysis {

/// The rules are those of src/cmd/trace/pprof.go, go1.26.8: what happens before a goroutine first
/// runs in the trace is left out (its first wait for a P, too), and so is what has not ended;
/// waiting for a P is put to the stack of whoever made the goroutine runnable. Unlike there, clocks
/// are taken as the threads wrote them.
class TraceStacks : public model::TraceSink {
 public:
  explicit TraceStacks(model::TraceProfile profile) : profile_(profile) {}
  void take(const model::TraceInterval& interval) override;
  /// Most time first.
  std::vector<model::TraceStackTotal> finish();

 private:
  bool counts(const model::TraceInterval& interval) const;

  model::TraceProfile profile_;
  std::vector<model::TraceStackTotal> totals_;  // by stack
};

}  // namespace weir::analysis
