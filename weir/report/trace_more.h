#pragma once
// Other forms of what `weir trace` and `weir diff` know of traces: heat maps, a table of two
// traces, every interval as a line.
#include <functional>
#include <string>

#include "weir/model/trace_diff.h"
#include "weir/model/trace_heat.h"

namespace weir::report {

/// Time from left to right, waits of a power of two in each line, the longest on top.
std::string render_heat(const std::string& name, const model::TraceHeat& heat, bool colour);
/// The same as a standalone SVG image; the number of each cell is in its title.
std::string render_heat_svg(const std::string& name, const model::TraceHeat& heat);

std::string render_trace_diff(const model::TraceDiff& diff, bool colour);
/// Schema weir.trace-diff/1, docs/json.md.
std::string render_trace_diff_json(const model::TraceDiff& diff);

/// Intervals as CSV with a header, or as JSON objects, one a line, in the order of their ends.
class TraceLines : public model::TraceSink {
 public:
  enum class Form : std::uint8_t { csv, json };
  /// `write` is given whole lines; `names` outlives this.
  TraceLines(const model::TraceNames& names, Form form,
             std::function<void(std::string_view)> write);
  void take(const model::TraceInterval& interval) override;
  /// Writes what is still held back.
  void finish();

 private:
  void add_csv(const model::TraceInterval& interval);
  void add_json(const model::TraceInterval& interval);

  const model::TraceNames& names_;
  Form form_;
  std::function<void(std::string_view)> write_;
  std::string text_;
};

}  // namespace weir::report
