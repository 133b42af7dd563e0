#include "apps/weir/prof_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "apps/weir/table_flags.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

using Setter = std::function<Result<void>(const std::string&)>;

Setter set_view(ProfRequest& request, ProfView view) {
  return [&request, view](const std::string& value) -> Result<void> {
    WEIR_TRY(const bool on, parse_switch(value));
    if (on) request.view = view;
    return {};
  };
}

Setter set_view_with(ProfRequest& request, ProfView view) {
  return [&request, view](const std::string& value) -> Result<void> {
    request.view = view;
    request.argument = value;
    return {};
  };
}

/// A pattern that is told in the heading too.
Setter set_filter(ProfRequest& request, const char* name, std::optional<Pattern>& to) {
  return [&request, name, &to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, Pattern::compile(value));
    request.text.filters.push_back(fmt::format("{}={}", name, value));
    return {};
  };
}

Setter set_pattern(std::optional<Pattern>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, Pattern::compile(value));
    return {};
  };
}

Setter set_label_filter(ProfRequest& request, const char* name, std::string& to) {
  return [&request, name, &to](const std::string& value) -> Result<void> {
    to = value;
    request.text.filters.push_back(fmt::format("{}={}", name, value));
    return {};
  };
}

Setter set_keys(std::vector<std::string>& to) {
  return [&to](const std::string& value) -> Result<void> {
    to.clear();
    for (std::size_t at = 0; at <= value.size();) {
      const std::size_t comma = std::min(value.find(',', at), value.size());
      if (comma > at) to.push_back(value.substr(at, comma - at));
      at = comma + 1;
    }
    return {};
  };
}

Result<double> parse_number(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no number", text));
  return number;
}

Setter set_fraction(std::optional<double>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(const double number, parse_number(value));
    if (number < 0 || number > 1)
      return fail(ErrorCode::usage, fmt::format("\"{}\" is not between 0 and 1", value));
    to = number;
    return {};
  };
}

Setter set_count(std::optional<std::size_t>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(const int number, parse_count(value));
    to = static_cast<std::size_t>(number);
    return {};
  };
}

Setter set_base(ProfRequest& request, bool diff) {
  return [&request, diff](const std::string& value) -> Result<void> {
    if (!request.base.empty() && request.diff != diff)
      return fail(ErrorCode::usage, "-base and -diff-base exclude each other");
    request.diff = diff;
    request.base.push_back(value);
    return {};
  };
}

Result<void> set_granularity(ProfRequest& request, const std::string& value) {
  using analysis::Granularity;
  constexpr std::pair<const char*, Granularity> words[] = {
      {"functions", Granularity::functions},
      {"filefunctions", Granularity::filefunctions},
      {"files", Granularity::files},
      {"lines", Granularity::lines},
      {"addresses", Granularity::addresses}};
  for (const auto& [word, granularity] : words) {
    if (value != word) continue;
    request.granularity = granularity;
    return {};
  }
  return fail(
      ErrorCode::usage,
      fmt::format("\"{}\" is none of functions, filefunctions, files, lines and addresses", value));
}

/// The switch that go tool pprof has for each.
Flag granularity_flag(ProfRequest& request, const char* name, const char* help) {
  return {name, "", help, [&request, name](const std::string& value) -> Result<void> {
            WEIR_TRY(const bool on, parse_switch(value));
            return on ? set_granularity(request, name) : Result<void>();
          }};
}

Result<void> set_sort(ProfRequest& request, const std::string& value) {
  if (value != "flat" && value != "cum")
    return fail(ErrorCode::usage, fmt::format("\"{}\" is neither flat nor cum", value));
  request.by_cum = value == "cum";
  return {};
}

Result<void> set_divisor(ProfRequest& request, const std::string& value) {
  WEIR_TRY(request.divide_by, parse_number(value));
  if (request.divide_by <= 0) return fail(ErrorCode::usage, "the divisor must be above 0");
  request.text.ratio = 1 / request.divide_by;
  return {};
}

void append(std::vector<Flag>& to, std::vector<Flag> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

std::vector<Flag> view_flags(ProfRequest& request) {
  const auto view = [&request](ProfView to) { return set_view(request, to); };
  const auto view_with = [&request](ProfView to) { return set_view_with(request, to); };
  return {
      {"top", "", "the heaviest functions (default)", view(ProfView::top)},
      {"tree", "", "functions with their callers and callees", view(ProfView::tree)},
      {"peek", "RE", "the same of those that match, none left out", view_with(ProfView::peek)},
      {"list", "RE", "source lines of those that match", view_with(ProfView::list)},
      {"traces", "", "every sample with its stack", view(ProfView::traces)},
      {"tags", "", "labels and their values", view(ProfView::tags)},
      {"raw", "", "all that is in the profile", view(ProfView::raw)},
      {"proto", "FILE", "write what is left as a pprof profile", view_with(ProfView::proto)},
      {"folded", "", "folded stacks, for flame graph tools", view(ProfView::folded)},
      {"dot", "", "a call graph for Graphviz", view(ProfView::dot)},
      {"callgrind", "", "for KCachegrind", view(ProfView::callgrind)},
      {"speedscope", "", "JSON for speedscope.app", view(ProfView::speedscope)},
      {"svg", "FILE", "write a flame graph as a picture", view_with(ProfView::svg)},
      {"html", "FILE", "write a flame graph as a page: search, zoom, labels",
       view_with(ProfView::html)},
      {"cluster", "label", "what each value of a label holds", view_with(ProfView::cluster)},
      {"health", "", "judge goroutine, block and mutex profiles; exit 1 beyond a limit",
       view(ProfView::health)},
      {"collect", "kinds", "save profiles of a server: cpu,block,mutex,heap,goroutine",
       view_with(ProfView::collect)},
      {"json", "", "print JSON (-top, -tree, -peek, -cluster, -health)", set_switch(request.json)},
  };
}

std::vector<Flag> value_flags(ProfRequest& request) {
  return {
      {"sample-index", "name", "which values: by name (inuse_space) or number (the last)",
       set_text(request.sample_index)},
      {"mean", "", "values divided by the first kind of value", set_switch(request.mean)},
      {"unit", "unit", "of the output: ms, MB … (what fits)", set_text(request.text.unit)},
      {"divide-by", "N", "divide all values",
       [&request](const std::string& value) { return set_divisor(request, value); }},
      {"base", "FILE", "subtract this profile; may be repeated", set_base(request, false)},
      {"diff-base", "FILE", "the same, with percentages of it", set_base(request, true)},
      {"normalize", "", "scale to the base first", set_switch(request.normalize)},
      {"relative-percentages", "", "percentages of what filters leave",
       set_switch(request.relative)},
  };
}

std::vector<Flag> filter_flags(ProfRequest& request) {
  analysis::ProfileFilter& filter = request.filter;
  return {
      {"focus", "RE", "samples with a match on the stack",
       set_filter(request, "focus", filter.focus)},
      {"ignore", "RE", "samples without", set_filter(request, "ignore", filter.ignore)},
      {"hide", "RE", "leave out frames that match", set_filter(request, "hide", filter.hide)},
      {"show", "RE", "only frames that match", set_filter(request, "show", filter.show)},
      {"show-from", "RE", "from the topmost match on down",
       set_filter(request, "show_from", filter.show_from)},
      {"prune-from", "RE", "not what is called by a match", set_pattern(filter.prune_from)},
      {"tagfocus", "test", "labels: RE, key=RE, 512kb, 1mb:2mb",
       set_label_filter(request, "tagfocus", filter.tag_focus)},
      {"tagignore", "test", "samples without such a label",
       set_label_filter(request, "tagignore", filter.tag_ignore)},
      {"tagshow", "RE", "only labels with such a key",
       set_filter(request, "tagshow", filter.tag_show)},
      {"taghide", "RE", "not those", set_filter(request, "taghide", filter.tag_hide)},
      {"tagroot", "keys", "label values as frames at the root", set_keys(filter.tag_root)},
      {"tagleaf", "keys", "the same at the leaves", set_keys(filter.tag_leaf)},
  };
}

std::vector<Flag> graph_flags(ProfRequest& request) {
  return {
      granularity_flag(request, "functions", "nodes are functions (default)"),
      granularity_flag(request, "filefunctions", "functions with their file"),
      granularity_flag(request, "files", "nodes are files"),
      granularity_flag(request, "lines", "nodes are lines"),
      granularity_flag(request, "addresses", "nodes are addresses"),
      {"granularity", "what", "the same: functions, filefunctions, files, lines, addresses",
       [&request](const std::string& value) { return set_granularity(request, value); }},
      {"noinlines", "", "count inlined calls for their caller", set_switch(request.noinlines)},
      {"showcolumns", "", "columns too, with lines", set_switch(request.showcolumns)},
      {"n", "N", "the same as -nodecount", set_count(request.node_count)},
      {"nodecount", "N", "at most N nodes (-top: all, else 80)", set_count(request.node_count)},
      {"nodefraction", "F", "leave out nodes below that share (0.005)",
       set_fraction(request.node_fraction)},
      {"edgefraction", "F", "leave out edges below that share (0.001)",
       set_fraction(request.edge_fraction)},
      {"cum", "", "order by cum, not flat", set_switch(request.by_cum)},
      {"sort", "what", "flat (default) or cum",
       [&request](const std::string& value) { return set_sort(request, value); }},
      {"drop-negative", "", "leave out what went down", set_switch(request.drop_negative)},
      {"source-path", "DIR", "where -list looks for relative files", set_text(request.source_path)},
  };
}

std::vector<Flag> health_flags(ProfRequest& request) {
  const auto duration = [](Nanos& to) {
    return [&to](const std::string& value) -> Result<void> {
      WEIR_TRY(to, report::parse_duration(value));
      return {};
    };
  };
  return {
      {"parked", "percent", "-health: goroutines in runtime.gopark (70)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.limits.parked, parse_number(value));
         return {};
       }},
      {"block-wait", "time", "-health: the mean wait (10ms)", duration(request.limits.mean_wait)},
      {"mutex-hold", "time", "-health: the mean hold (1ms)", duration(request.limits.mean_hold)},
      {"junit", "file", "-health: write the verdicts as JUnit XML", set_text(request.junit)},
      {"sarif", "file", "-health: write those beyond a limit as SARIF", set_text(request.sarif)},
      {"folder", "DIR", "-collect: where to (named after server and time)",
       set_text(request.folder)},
      {"seconds", "N", "a URL: how long to profile (-collect: 10)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.seconds, parse_count(value));
         return {};
       }},
  };
}

}  // namespace

std::vector<Flag> prof_flags(ProfRequest& request) {
  std::vector<Flag> flags = view_flags(request);
  append(flags, value_flags(request));
  append(flags, filter_flags(request));
  append(flags, graph_flags(request));
  append(flags, health_flags(request));
  append(flags, evidence_flags(request.evidence));
  return flags;
}

}  // namespace weir::app
