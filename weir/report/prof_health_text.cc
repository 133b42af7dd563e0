#include "weir/report/prof_health_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "weir/model/profile.h"
#include "weir/model/units.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"
#include "weir/report/yaml_map.h"

namespace weir::report {

using model::ClusterReport;
using model::ClusterRow;
using model::HealthReport;
using model::HealthStack;

namespace {

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

std::string time_of(double nanos) {
  return model::scaled_label(model::rounded_down(nanos), "nanoseconds", "auto");
}

std::string measure(const HealthReport& report, double value) {
  return report.kind == HealthReport::Kind::goroutines ? fmt::format("{:.1f} %", value)
                                                       : time_of(value);
}

std::string_view meaning(HealthReport::Kind kind) {
  switch (kind) {
    case HealthReport::Kind::goroutines:
      return "of goroutines are parked (runtime.gopark)";
    case HealthReport::Kind::waits:
      return "is what a wait takes on average";
    case HealthReport::Kind::locks:
      break;
  }
  return "is what a lock keeps others waiting on average";
}

std::string states(const std::map<std::string, std::int64_t>& by_state, std::int64_t total) {
  std::vector<std::pair<std::string, std::int64_t>> order(by_state.begin(), by_state.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [state, count] : order)
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ", count, printable(state),
                        trimmed(model::percentage(count, total)));
  return text;
}

void append_stack(std::string& out, const HealthReport& report, const HealthStack& stack) {
  std::string head;
  if (report.kind == HealthReport::Kind::goroutines) {
    head = fmt::format("{} in {}", stack.count, printable(stack.state));
  } else {
    const double mean =
        stack.count == 0 ? 0 : static_cast<double>(stack.nanos) / static_cast<double>(stack.count);
    head = fmt::format("{} times {}, together {}: {}", stack.count, time_of(mean),
                       time_of(static_cast<double>(stack.nanos)), printable(stack.state));
    if (stack.crosses) head += " (beyond the limit)";
  }
  if (!stack.test.empty()) head += fmt::format(", in {}", printable(stack.test));
  out += fmt::format("  {}\n", head);
  for (const std::string& function : stack.functions)
    out += fmt::format("      {}\n", printable(function));
}

constexpr std::uint64_t bar_cells = 12;

/// A bar of bar_cells columns, filled by the share that `amount` is of `most`, by eighths.
std::string bar(std::int64_t amount, std::int64_t most) {
  constexpr const char* parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  const double share =
      most == 0 ? 0 : static_cast<double>(model::magnitude(amount)) / static_cast<double>(most);
  auto eighths = static_cast<std::uint64_t>(std::lround(share * bar_cells * 8));
  std::string text;
  for (std::uint64_t cell = 0; cell < bar_cells; ++cell) {
    const std::uint64_t here = std::min<std::uint64_t>(eighths, 8);
    text += parts[here];
    eighths -= here;
  }
  return text;
}

using Key = YamlKey<model::HealthLimits>;

double percent_of(const YAML::Node& node, const char* key) {
  std::string text = text_of(node, key);
  if (text.ends_with('%')) text.pop_back();
  while (text.ends_with(' ')) text.pop_back();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number >= 0 && number <= 100))
    reject(node, fmt::format("\"{}\" must be a number from 0 to 100, in per cent", key));
  return number;
}

constexpr Key health_keys[] = {
    {"parked", [](const auto& node, auto key, auto& to) { to.parked = percent_of(node, key); }},
    {"block-wait",
     [](const auto& node, auto key, auto& to) { to.mean_wait = duration_of(node, key); }},
    {"mutex-hold",
     [](const auto& node, auto key, auto& to) { to.mean_hold = duration_of(node, key); }},
};

}  // namespace

std::string_view health_word(HealthReport::Kind kind) {
  switch (kind) {
    case HealthReport::Kind::goroutines:
      return "goroutine";
    case HealthReport::Kind::waits:
      return "block";
    case HealthReport::Kind::locks:
      break;
  }
  return "mutex";
}

std::string health_sentence(const HealthReport& report) {
  return fmt::format("{} {}; the limit is {}", measure(report, report.measured),
                     meaning(report.kind), measure(report, report.limit));
}

std::string health_stacks(const HealthReport& report, std::size_t stacks) {
  std::string out;
  const std::size_t shown =
      stacks == 0 ? report.stacks.size() : std::min(stacks, report.stacks.size());
  for (std::size_t i = 0; i < shown; ++i) append_stack(out, report, report.stacks[i]);
  if (shown < report.stacks.size())
    out += fmt::format("  {} more stacks; -n 0 prints all\n", report.stacks.size() - shown);
  return out;
}

model::CodePlace place_of(const HealthReport& report) {
  if (report.stacks.empty()) return {};
  const auto beyond = std::find_if(report.stacks.begin(), report.stacks.end(),
                                   [](const HealthStack& stack) { return stack.crosses; });
  const HealthStack& stack = beyond == report.stacks.end() ? report.stacks.front() : *beyond;
  model::CodePlace place;
  if (!stack.functions.empty()) place.function = stack.functions.front();
  place.file = stack.file;
  place.line = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(stack.line, 0, std::numeric_limits<std::int32_t>::max()));
  return place;
}

std::string render_health(const std::vector<HealthReport>& reports, std::size_t stacks) {
  std::string out;
  for (const HealthReport& report : reports) {
    out += fmt::format("{} {}: {} ({})\n", report.crossed ? "FAIL" : "ok", health_word(report.kind),
                       health_sentence(report), printable(report.source));
    out += fmt::format("  {} in all: {}\n", report.count, states(report.by_state, report.count));
    if (report.crossed) out += health_stacks(report, stacks);
    for (const Note& note : report.notes.all())
      out += fmt::format("  Note: {}{}{}\n", printable(note.text), note.advice.empty() ? "" : "; ",
                         printable(note.advice));
  }
  return out;
}

void write_health(JsonWriter& json, const HealthReport& report) {
  json.begin_object();
  json.member("kind", health_word(report.kind));
  json.member("source", report.source);
  json.member("measured", report.measured);
  json.member("limit", report.limit);
  json.member("unit", report.kind == HealthReport::Kind::goroutines ? "percent" : "nanoseconds");
  json.member("crossed", report.crossed);
  json.member("count", report.count);
  json.key("states");
  json.begin_object();
  for (const auto& [state, count] : report.by_state) json.member(state, count);
  json.end_object();
  json.key("stacks");
  json.begin_array();
  for (const HealthStack& stack : report.stacks) {
    json.begin_object();
    json.member("state", stack.state);
    json.member("count", stack.count);
    if (report.kind != HealthReport::Kind::goroutines) json.member("nanoseconds", stack.nanos);
    json.member_if("crosses", stack.crosses);
    json.member_if("test", stack.test);
    json.member_if("file", stack.file);
    if (stack.line > 0) json.member("line", stack.line);
    json.key("functions");
    json.begin_array();
    for (const std::string& function : stack.functions) json.value(function);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.key("notes");
  write_notes(json, report.notes);
  json.end_object();
}

std::string render_health_json(const std::vector<HealthReport>& reports) {
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  json.member("schema", "weir.prof-health/1");
  json.member("crossed", std::any_of(reports.begin(), reports.end(),
                                     [](const HealthReport& report) { return report.crossed; }));
  json.key("profiles");
  json.begin_array();
  for (const HealthReport& report : reports) {
    write_health(json, report);
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

std::string render_cluster(const ClusterReport& report, const ProfOptions& options) {
  const ValueWords words(report.unit, options);
  std::string out = fmt::format("{} by label {}: {} in all\n", printable(report.type),
                                printable(report.label), words(report.total));
  out += fmt::format("{:>10} {:>6} {:>8}  {:{}}  {}\n", "value", "share", "samples", "", bar_cells,
                     printable(report.label));
  // One scale for the values, and one for the functions of all of them.
  std::int64_t widest = 0, widest_function = 0;
  for (const ClusterRow& row : report.rows) {
    widest = std::max(widest, model::magnitude(row.amount));
    for (const auto& [function, amount] : row.top)
      widest_function = std::max(widest_function, model::magnitude(amount));
  }
  for (const ClusterRow& row : report.rows) {
    out += fmt::format("{:>10} {} {:>8}  {}  {}\n", words(row.amount),
                       model::percentage(row.amount, report.total), row.samples,
                       bar(row.amount, widest),
                       row.value.empty() ? "(without)" : printable(row.value));
    if (!row.by_state.empty())
      out += fmt::format("{:28}{}\n", "", states(row.by_state, row.amount));
    for (const auto& [function, amount] : row.top)
      out += fmt::format("{:28}{}{:>8}  {}\n", "", bar(amount, widest_function), words(amount),
                         printable(function));
  }
  return out;
}

std::string render_cluster_json(const ClusterReport& report) {
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  json.member("schema", "weir.prof-cluster/1");
  json.member("label", report.label);
  json.member("type", report.type);
  json.member("unit", report.unit);
  json.member("total", report.total);
  json.key("rows");
  json.begin_array();
  for (const ClusterRow& row : report.rows) {
    json.begin_object();
    json.member_if("value", row.value);
    json.member("amount", row.amount);
    json.member("samples", row.samples);
    if (!row.by_state.empty()) {
      json.key("states");
      json.begin_object();
      for (const auto& [state, count] : row.by_state) json.member(state, count);
      json.end_object();
    }
    json.key("top");
    json.begin_array();
    for (const auto& [function, amount] : row.top) {
      json.begin_object();
      json.member("function", function);
      json.member("amount", amount);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

Result<model::HealthLimits> parse_health_settings(std::string_view yaml, const std::string& path) {
  model::HealthLimits limits;
  WEIR_TRY_VOID(read_document(yaml, path, [&](const YAML::Node& document) {
    for (const auto& member : document) {
      if (!member.first.IsScalar() || member.first.Scalar() != "prof") continue;
      if (member.second.IsNull()) continue;
      if (!member.second.IsMap()) reject(member.second, "\"prof\" must have keys below it");
      read_map(member.second, std::begin(health_keys), std::end(health_keys), limits);
    }
  }));
  return limits;
}

}  // namespace weir::report
