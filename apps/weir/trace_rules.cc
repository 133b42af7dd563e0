#include "apps/weir/trace_rules.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "apps/weir/commands.h"
#include "apps/weir/terminal.h"
#include "weir/analysis/trace_diff.h"
#include "weir/analysis/trace_tally.h"
#include "weir/ingest/trace.h"
#include "weir/report/gate_text.h"
#include "weir/report/settings.h"
#include "weir/report/trace_more.h"

namespace weir::app {

using analysis::TraceFigure;
using analysis::TraceRule;

namespace {

tl::unexpected<Error> no_rule(const std::string& text, const char* why) {
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is no rule: {}; as in \"scheduling.p99>1ms\", \"chan "
                          "send.over(10us)>1%\" or \"runnable.most>100\"",
                          text, why));
}

Result<double> parse_number(const std::string& rule, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    return no_rule(rule, "the limit is no number");
  return value;
}

Result<void> parse_figure(const std::string& text, const std::string& name, TraceRule& rule) {
  constexpr std::pair<const char*, TraceFigure> known[] = {
      {"count", TraceFigure::count}, {"total", TraceFigure::total}, {"p50", TraceFigure::p50},
      {"p90", TraceFigure::p90},     {"p99", TraceFigure::p99},     {"p999", TraceFigure::p999},
      {"max", TraceFigure::max}};
  if (rule.kind == "runnable") {
    if (name != "mean" && name != "most") return no_rule(text, "runnable has mean and most");
    rule.kind.clear();
    rule.figure = name == "mean" ? TraceFigure::runnable_mean : TraceFigure::runnable_most;
    return {};
  }
  WEIR_TRY_VOID(parse_trace_kind(rule.kind));
  if (name.starts_with("over(") && name.ends_with(")")) {
    rule.figure = TraceFigure::over_count;
    WEIR_TRY(rule.over, report::parse_duration(name.substr(5, name.size() - 6)));
    return {};
  }
  for (const auto& [word, figure] : known)
    if (name == word) {
      rule.figure = figure;
      return {};
    }
  return no_rule(text,
                 "its figure is none of count, total, p50, p90, p99, p999, max and over(time)");
}

}  // namespace

Result<model::TraceKind> parse_trace_kind(const std::string& text) {
  if (text == "scheduling") return model::TraceKind::woken;
  std::string all = "scheduling";
  for (std::size_t i = 0; i < model::trace_kind_count; ++i) {
    const auto kind = static_cast<model::TraceKind>(i);
    if (!is_blocking(kind)) continue;
    if (text == to_string(kind)) return kind;
    (all += ", ") += to_string(kind);
  }
  return fail(ErrorCode::usage, fmt::format("\"{}\" is no kind of wait; they are: {}", text, all));
}

Result<TraceRule> parse_trace_rule(const std::string& text) {
  TraceRule rule;
  rule.text = text;
  const auto limit = text.rfind('>');
  if (limit == std::string::npos) return no_rule(text, "it has no >");
  const std::string left = text.substr(0, limit);
  std::string right = text.substr(limit + 1);
  // sync.Mutex has a dot of its own, and so may the time of over().
  const auto dot = left.ends_with(")") ? left.rfind(".over(") : left.rfind('.');
  if (dot == std::string::npos) return no_rule(text, "it has no figure");
  rule.kind = left.substr(0, dot);
  WEIR_TRY_VOID(parse_figure(text, left.substr(dot + 1), rule));
  if (rule.figure >= TraceFigure::total && rule.figure <= TraceFigure::max) {
    WEIR_TRY(const Nanos time, report::parse_duration(right));
    rule.limit = static_cast<double>(time.value);
    return rule;
  }
  if (rule.figure == TraceFigure::over_count && right.ends_with("%")) {
    rule.figure = TraceFigure::over_share;
    right.pop_back();
  }
  WEIR_TRY(rule.limit, parse_number(text, right));
  return rule;
}

bool is_trace_file(const std::string& path) {
  char head[16] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(head, sizeof head);
  const std::string_view text(head, sizeof head);
  return file.gcount() == sizeof head && text.starts_with("go 1.") &&
         text.find(" trace") != std::string_view::npos;
}

int diff_traces(const std::string& before, const std::string& after, bool as_json) {
  const std::string* paths[2] = {&before, &after};
  analysis::TraceHeatTally heats[2];
  model::TraceReport reports[2];
  Notes notes;
  for (std::size_t side = 0; side < 2; ++side) {
    model::TraceNames names;
    const analysis::TraceQuery query;
    analysis::TraceTally tally(names, query);
    analysis::TraceTee both(tally, heats[side]);
    auto summary = ingest::read_trace(*paths[side], {}, names, both);
    if (!summary) return complain(summary.error());
    reports[side] = tally.finish();
    reports[side].summary = std::move(*summary);
    notes.merge(reports[side].summary.notes);
  }
  const model::TraceDiff diff =
      analysis::compare_traces(reports[0], heats[0], reports[1], heats[1]);
  const bool colour = stdout_has_colour();
  fmt::print("{}", as_json ? report::render_trace_diff_json(diff)
                           : report::render_trace_diff(diff, colour));
  for (const Note& note : notes.all())
    fmt::print(stderr, "weir: {}: {}\n", to_string(note.severity), note.text);
  for (const model::TraceDiffRow& row : diff.rows)
    if (row.change == model::TraceChange::longer) return code_findings;
  return code_clean;
}

}  // namespace weir::app
