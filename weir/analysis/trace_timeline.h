#pragma once
// Which goroutines of a trace waited longest, and what they did over time.
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "weir/model/trace.h"
#include "weir/model/trace_timeline.h"

namespace weir::analysis {

/// Adds up each goroutine's waits of one kind, open ones included. The four ways of waiting for a P
/// are one kind, `woken`; the runtime's own goroutines do not count.
class TraceWorst : public model::TraceSink {
 public:
  /// Of more goroutines than this, the half that waited less so far is forgotten.
  static constexpr std::size_t most_goroutines = std::size_t{1} << 18;

  explicit TraceWorst(model::TraceKind kind) : kind_(kind) {}
  void take(const model::TraceInterval& interval) override;
  /// At most `count`, the longest first; those of the same time by their number.
  std::vector<std::uint64_t> worst(std::size_t count) const;

 private:
  std::vector<std::pair<std::int64_t, std::uint64_t>> ranked() const;
  void forget_half();

  model::TraceKind kind_;
  std::unordered_map<std::uint64_t, std::int64_t> total_;
};

/// Collects what the goroutines did from `from` to `to`, running included. Intervals that are
/// shorter than the `slices`th part of that time are merged with short neighbours until they are as
/// long: no lane has more than 3 * slices + 1 spells. Mark assists are left out: the goroutine
/// runs.
class TraceTimelineTally : public model::TraceSink {
 public:
  static constexpr std::int64_t slices = 600;

  TraceTimelineTally(const std::vector<std::uint64_t>& goroutines, Nanos from, Nanos to);
  void take(const model::TraceInterval& interval) override;
  /// May be called once. Goroutines that are not in the trace have a lane without spells.
  model::TraceTimeline finish();

 private:
  void add(model::TraceLane& lane, const model::TraceInterval& interval) const;

  model::TraceTimeline timeline_;
  std::unordered_map<std::uint64_t, std::size_t> lane_of_;
};

/// Hands on the intervals that `wanted` takes.
class TraceFilter : public model::TraceSink {
 public:
  TraceFilter(std::function<bool(const model::TraceInterval&)> wanted, model::TraceSink& to)
      : wanted_(std::move(wanted)), to_(to) {}
  void take(const model::TraceInterval& interval) override;

 private:
  std::function<bool(const model::TraceInterval&)> wanted_;
  model::TraceSink& to_;
};

}  // namespace weir::analysis
