#pragma once
// TraceHeatTally: waits of a trace by when they ended and how long they were.
#include <array>
#include <vector>

#include "weir/model/trace.h"
#include "weir/model/trace_heat.h"

namespace weir::analysis {

/// The length of a trace is not known while it is read: columns are made twice as wide whenever
/// they do not suffice. The four ways of waiting for a P are one kind, `woken`.
class TraceHeatTally : public model::TraceSink {
 public:
  static constexpr std::size_t most_columns = 128;

  /// The columns begin at `from`; what ended before is left out.
  explicit TraceHeatTally(Nanos from = {}) : from_(from.value) {}

  void take(const model::TraceInterval& interval) override;
  model::TraceHeat heat(model::TraceKind kind) const;

 private:
  void widen();

  std::int64_t from_;
  std::int64_t width_ = std::int64_t{1} << 16;  // ns
  std::size_t used_ = 0;                        // columns
  std::array<std::vector<std::array<std::uint64_t, model::TraceHeat::rows>>,
             model::trace_kind_count>
      columns_;
};

/// Hands intervals to two sinks.
class TraceTee : public model::TraceSink {
 public:
  TraceTee(model::TraceSink& one, model::TraceSink& other) : one_(one), other_(other) {}
  void take(const model::TraceInterval& interval) override {
    one_.take(interval);
    other_.take(interval);
  }

 private:
  model::TraceSink &one_, &other_;
};

}  // namespace weir::analysis
