#pragma once
// The report of `weir trace` for people and for machines.
#include <string>

#include "weir/model/trace_report.h"

namespace weir::report {

struct TraceTextOptions {
  std::size_t top = 3;  ///< rows under each kind; 0: all
  bool colour = false;
  std::string root;  ///< files below this folder are named relative to it; may be empty
};

/// One screen: the trace as a whole, a table of all kinds, then each kind's worst places.
std::string render_trace(const model::TraceReport& report, const TraceTextOptions& options = {});

/// Schema weir.trace/1, docs/json.md: everything, all rows.
std::string render_trace_json(const model::TraceReport& report);

/// How many bytes of the trace are for what, most first; those of no known purpose, too.
std::string render_trace_bytes(const model::TraceSummary& summary);

/// 33812345 → "33,812,345".
std::string grouped(std::uint64_t number);

/// Counts of a histogram's powers of two as one line of bars: "1.02 µs ▁▃█▂ 2.1 ms".
std::string render_bars(const model::LogHistogram& histogram);

}  // namespace weir::report
