#include <fmt/format.h>

#include <algorithm>

#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"
#include "weir/report/trace_more.h"
#include "weir/report/trace_text.h"

namespace weir::report {

using model::TraceChange;
using model::TraceDiff;
using model::TraceDiffRow;

namespace {

std::string right(const std::string& text, std::size_t width) {
  const auto shown = static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return std::string(width > shown ? width - shown : 0, ' ') + text;
}

std::string verdict(const TraceDiffRow& row) {
  switch (row.change) {
    case TraceChange::unknown:
      return "too few to tell";
    case TraceChange::noise:
      return fmt::format("no more than noise (p {:.2g})", row.probability);
    default:
      return fmt::format("{}: typically {:.2f} times (p {:.2g})", to_string(row.change), row.factor,
                         row.probability);
  }
}

void write_side(JsonWriter& json, const char* name, const TraceDiffRow& row, std::size_t side) {
  json.key(name);
  json.begin_object();
  json.member("count", row.count[side]);
  json.member("total_ns", row.total[side].value);
  json.member("p50_ns", row.p50[side].value);
  json.member("p99_ns", row.p99[side].value);
  json.member("max_ns", row.longest[side].value);
  json.end_object();
}

}  // namespace

std::string render_trace_diff(const TraceDiff& diff, bool colour) {
  std::string text;
  for (std::size_t side = 0; side < 2; ++side)
    text += fmt::format("{} {}: {}, {} events\n", side == 0 ? "before" : "after ",
                        printable(diff.summaries[side].source), to_text(diff.summaries[side].span),
                        grouped(diff.summaries[side].events));
  text += fmt::format("\n{:<16}{:>8}{:>12}{:>10}{:>10}{:>10}{:>10}\n", "waits", "", "count",
                      "total", "p50", "p99", "max");
  for (const TraceDiffRow& row : diff.rows) {
    const bool changed = row.change == TraceChange::longer || row.change == TraceChange::shorter;
    for (std::size_t side = 0; side < 2; ++side)
      text += fmt::format("{:<16}{:>8}{:>12}", side == 0 ? row.kind : "",
                          side == 0 ? "before" : "after", row.count[side]) +
              right(to_text(row.total[side]), 10) + right(to_text(row.p50[side]), 10) +
              right(to_text(row.p99[side]), 10) + right(to_text(row.longest[side]), 10) + '\n';
    const std::string said = verdict(row);
    text += fmt::format("{:<18}{}\n", "", colour && changed ? "\x1b[1m" + said + "\x1b[0m" : said);
  }
  return text;
}

std::string render_trace_diff_json(const TraceDiff& diff) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.trace-diff/1");
  json.key("sources");
  json.begin_array();
  for (const model::TraceSummary& summary : diff.summaries) {
    json.begin_object();
    json.member("source", summary.source);
    json.member("span_ns", summary.span.value);
    json.member("events", summary.events);
    json.end_object();
  }
  json.end_array();
  json.key("waits");
  json.begin_array();
  for (const TraceDiffRow& row : diff.rows) {
    json.begin_object();
    json.member("kind", row.kind);
    json.member("change", std::string_view(to_string(row.change)));
    json.member("probability", row.probability);
    json.member("factor", row.factor);
    write_side(json, "before", row, 0);
    write_side(json, "after", row, 1);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
