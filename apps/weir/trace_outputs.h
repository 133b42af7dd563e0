#pragma once
// The forms in which `weir trace` gives a trace, one each.
#include <string>

#include "apps/weir/trace_request.h"

namespace weir::app {

/// Reads the trace `source` and writes what `request` asks for. Returns the exit code; what went
/// wrong is said on standard error.
int write_trace(const std::string& source, const TraceRequest& request);

}  // namespace weir::app
