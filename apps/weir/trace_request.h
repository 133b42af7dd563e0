#pragma once
// What the command line of `weir trace` asks for.
#include <optional>
#include <string>
#include <vector>

#include "apps/weir/flags.h"
#include "weir/analysis/trace_health.h"
#include "weir/analysis/trace_tally.h"
#include "weir/ingest/trace.h"
#include "weir/model/trace_totals.h"
#include "weir/report/trace_more.h"
#include "weir/report/trace_text.h"

namespace weir::app {

struct TraceRequest {
  ingest::TraceOptions reading;
  analysis::TraceQuery query;
  report::TraceTextOptions text;
  bool json = false;
  std::optional<model::TraceProfile> profile;
  std::optional<report::TraceLines::Form> lines;
  enum class Events { none, wire, parsed, bytes } events = Events::none;
  std::optional<model::TraceKind> heat;
  std::string heat_name, svg, perfetto, html;
  std::vector<analysis::TraceRule> rules;
  std::string filter;  // in words
};

/// The flags that fill `request`, which outlives them.
std::vector<Flag> trace_flags(TraceRequest& request);

/// Holds flags against each other: one form of output, and none that would be ignored. Errors:
/// usage.
Result<void> check_trace_request(const TraceRequest& request);

}  // namespace weir::app
