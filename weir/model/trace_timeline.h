#pragma once
// What chosen goroutines did over the time of a trace, fit to be drawn.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/model/trace.h"

namespace weir::model {

/// One interval of a goroutine, or several short ones that follow each other, as one.
struct TraceSpell {
  std::int64_t begin = 0;  ///< ns since the trace's first event; cut at the timeline's ends
  std::int64_t end = 0;
  TraceKind kind = TraceKind::running;  ///< of several: the one with the most time
  std::uint64_t intervals = 1;
  std::uint32_t stack = 0;  ///< of one interval: as TraceInterval::stack
  std::uint64_t waker = 0;  ///< of one interval: as TraceInterval::waker
  bool open = false;        ///< it did not end in the trace
  /// Of several: the time of each kind, most first.
  std::vector<std::pair<TraceKind, std::int64_t>> parts;
};

struct TraceLane {
  std::uint64_t goroutine = 0;
  std::uint32_t start_stack = 0;   ///< as TraceInterval::start_stack
  std::vector<TraceSpell> spells;  ///< ascending; nothing where the goroutine did not exist
};

struct TraceTimeline {
  std::int64_t from = 0, to = 0;  ///< what is drawn, ns since the trace's first event
  /// Intervals shorter than this may be told as one with their neighbours.
  std::int64_t finest = 1;
  std::vector<TraceLane> lanes;  ///< in the order asked for
};

}  // namespace weir::model
