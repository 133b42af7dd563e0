#pragma once
// The events of a trace as lines of text, for those who want to see them themselves.
#include <functional>
#include <string>
#include <string_view>

#include "weir/ingest/trace.h"

namespace weir::ingest {

/// Hands on every event of the trace `name` as it stands in the file (see gotrace/wire_text.h).
/// Errors: those of read_trace; unsupported for a trace from before Go 1.22.
Result<void> write_wire_events(const std::string& name, const TraceOptions& options,
                               const std::function<void(std::string_view)>& to);

/// Hands on every event in the order in which they happened, each as a line: nanoseconds since the
/// first, the event's name, the P, the goroutine that the thread ran, the goroutine it is about,
/// its text, and the functions of its stack, innermost first. Errors: those of read_trace.
Result<Notes> write_parsed_events(const std::string& name, const TraceOptions& options,
                                  const std::function<void(std::string_view)>& to);

}  // namespace weir::ingest
