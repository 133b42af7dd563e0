#pragma once
// Collects the lives of some goroutines of a trace.
#include <unordered_map>
#include <vector>

#include "weir/model/trace.h"
#include "weir/model/trace_life.h"

namespace weir::analysis {

/// Running intervals must come, too. Mark assists are left out: the goroutine runs.
class TraceLives : public model::TraceSink {
 public:
  /// `names` outlives this.
  TraceLives(const model::TraceNames& names, const std::vector<std::uint64_t>& goroutines);
  void take(const model::TraceInterval& interval) override;
  /// In the order asked for. May be called once.
  std::vector<model::TraceLife> finish();

 private:
  void add(model::TraceLife& life, const model::TraceInterval& interval) const;

  const model::TraceNames& names_;
  std::vector<model::TraceLife> lives_;
  std::unordered_map<std::uint64_t, std::size_t> index_;
};

}  // namespace weir::analysis
