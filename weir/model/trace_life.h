#pragma once
// What one goroutine did during a trace, as a whole.
#include <cstdint>
#include <string>
#include <vector>

#include "weir/model/trace.h"

namespace weir::model {

struct TraceLifePart {
  TraceKind kind = TraceKind::running;  ///< the four ways of waiting for a P are one, `woken`
  std::uint64_t count = 0;
  Nanos total, longest;
};

/// Times are since the trace's first event.
struct TraceLife {
  std::uint64_t goroutine = 0;
  bool seen = false;        ///< it is in the trace; else all the rest is empty
  std::string function;     ///< its own, outermost; may be empty
  std::string created_by;   ///< the function of its `go` statement; empty: before the trace
  bool from_start = false;  ///< it was there before the trace
  Nanos first, last;        ///< its first and its last moment in the trace
  bool ended = false;       ///< it ended during the trace
  TraceKind at_end = TraceKind::running;  ///< of one that did not end: what it does at the end
  Nanos at_end_for;                       ///< and for how long
  std::vector<TraceLifePart> parts;       ///< what was open at the end included; most time first
};

}  // namespace weir::model
