#pragma once
// An execution trace from wherever it is, as intervals.
#include <string>

#include "weir/base/error.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/http.h"
#include "weir/model/trace.h"

namespace weir::ingest {

struct TraceOptions {
  HttpOptions http;
  bool running = false;  ///< hand out what goroutines run, too
};

/// Reads the trace `name`: a file, "-" for standard input, a URL or "host:port" (see trace_url).
/// What is no regular file is written to an unlinked temporary file first. `names` is filled as the
/// reading goes on, always ahead of the intervals that use it. Damage costs what is damaged and is
/// noted in the summary. Errors: not_found, denied, io, those of fetch, invalid, unsupported.
Result<model::TraceSummary> read_trace(const std::string& name, const TraceOptions& options,
                                       model::TraceNames& names, model::TraceSink& sink);

/// The same of a file that is open (trace_file.h), which may be read again; `shown` is its name in
/// errors and in the summary.
Result<model::TraceSummary> read_trace(const bytes::MappedFile& file, const std::string& shown,
                                       const TraceOptions& options, model::TraceNames& names,
                                       model::TraceSink& sink);

/// The URL that `word` means: without a path, or ending with "/debug/pprof/", Go's own
/// "…/debug/pprof/trace?seconds=5".
std::string trace_url(std::string_view word);

/// Which kind of wait Go's reason and the stack mean.
model::TraceKind kind_of_wait(std::string_view reason, const model::TraceNames& names,
                              std::uint32_t stack);

}  // namespace weir::ingest
