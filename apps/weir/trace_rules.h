#pragma once
// Words of the command line about traces.
#include <string>

#include "weir/analysis/trace_health.h"
#include "weir/base/error.h"

namespace weir::app {

/// "scheduling.p99>1ms", "chan send.over(10us)>1%", "runnable.most>100". Errors: usage.
Result<analysis::TraceRule> parse_trace_rule(const std::string& text);

/// "scheduling" or a kind's name. Errors: usage.
Result<model::TraceKind> parse_trace_kind(const std::string& text);

/// Whether the file's first bytes are those of an execution trace. False if it cannot be read.
bool is_trace_file(const std::string& path);

/// `weir diff` of two traces.
int diff_traces(const std::string& before, const std::string& after, bool as_json);

}  // namespace weir::app
