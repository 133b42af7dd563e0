#pragma once
// A trace's time by stack as a pprof profile.
#include <span>
#include <string>

#include "weir/model/trace.h"
#include "weir/model/trace_totals.h"

namespace weir::ingest {

/// A gzipped profile with the values "contentions" and "delay", as `go tool trace -pprof` writes it
/// (BuildProfile, src/internal/trace/traceviewer/pprof.go, go1.26.8).
std::string render_trace_profile(const model::TraceNames& names,
                                 std::span<const model::TraceStackTotal> totals);

}  // namespace weir::ingest
