#include "weir/report/schedtrace_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"
#include "weir/report/top_json.h"
#include "weir/report/top_screen.h"

namespace weir::report {

using model::SchedLook;
using model::SchedReport;
using model::SchedSample;
using model::SchedSpread;
using model::SchedVerdict;

namespace {

constexpr std::size_t timeline_columns = 60;

/// One character for each slice of time: the largest value in it.
template <class Value>
std::string timeline(const SchedReport& report, const Value& value) {
  constexpr const char* bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t count = report.samples.size();
  const std::size_t width = std::min(timeline_columns, count);
  std::vector<std::uint64_t> slices(width, 0);
  for (std::size_t i = 0; i < count; ++i)
    slices[i * width / count] = std::max(slices[i * width / count], value(report.samples[i]));
  const std::uint64_t most = width == 0 ? 0 : *std::ranges::max_element(slices);
  std::string text;
  for (const std::uint64_t slice : slices)
    text += bars[most == 0 || slice == 0 ? 0 : 1 + (slice * 7) / most];
  return text;
}

template <class Value>
std::string row(const char* name, const SchedSpread& spread, const SchedReport& report,
                const Value& value) {
  return fmt::format("{:<16}{:>8}{:>10.1f}{:>8}  {}\n", name, spread.least, spread.mean,
                     spread.most, timeline(report, value));
}

void write_spread(JsonWriter& json, const char* name, const SchedSpread& spread) {
  json.key(name);
  json.begin_object();
  json.member("least", spread.least);
  json.member("mean", spread.mean);
  json.member("most", spread.most);
  json.end_object();
}

void write_sample(JsonWriter& json, const SchedSample& sample) {
  json.begin_object();
  json.member("at_ns", sample.at.value);
  json.member("idle_procs", sample.idle_procs);
  json.member("threads", sample.threads);
  json.member("run_queue", sample.run_queue);
  json.member("local_queues", sample.local_queues);
  json.member("longest_local", sample.longest_local);
  if (sample.sched_ticks) json.member("sched_ticks", *sample.sched_ticks);
  if (sample.detailed) {
    json.member("waiting", sample.waiting);
    json.key("waiting_for");
    json.begin_object();
    for (const auto& [reason, count] : sample.waiting_for) json.member(reason, count);
    json.end_object();
  }
  json.end_object();
}

/// A state that comes and goes is told a few times, and then counted.
void add_verdicts(std::string& text, const SchedReport& report, const TopOptions& options) {
  constexpr std::size_t most = 3;
  std::map<model::SchedVerdictKind, std::size_t> told;
  for (const SchedVerdict& verdict : report.verdicts) {
    if (told[verdict.kind]++ >= most) continue;
    const std::string name = to_string(verdict.kind);
    text += fmt::format("\n{}  from {} to {}, {} samples\n    {}\n    {}\n",
                        options.colour && verdict.is_finding ? "\x1b[31m" + name + "\x1b[0m" : name,
                        to_text(verdict.from), to_text(verdict.to), verdict.samples,
                        printable(verdict.text), printable(verdict.advice));
  }
  for (const auto& [kind, times] : told)
    if (times > most)
      text +=
          fmt::format("\n{}  {} times more; -json has them all\n", to_string(kind), times - most);
}

void write_looks(JsonWriter& json, const std::vector<SchedLook>& looks) {
  if (looks.empty()) return;
  json.key("looks");
  json.begin_array();
  for (const SchedLook& look : looks) {
    json.begin_object();
    json.member("verdict", std::string_view(to_string(look.verdict)));
    json.member("at_ns", look.at.value);
    if (look.failure.empty()) {
      json.key("goroutines");
      write_top(json, look.groups);
    } else {
      json.member("failure", look.failure);
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string render_schedule(const SchedReport& report, const std::vector<SchedLook>& looks,
                            const TopOptions& options) {
  std::string text = fmt::format("{}: {} samples over {}, GOMAXPROCS {}{}\n\n",
                                 printable(report.source), report.count, to_text(report.span),
                                 report.gomaxprocs, report.detailed ? ", with detail" : "");
  text += fmt::format("{:<16}{:>8}{:>10}{:>8}  over time\n", "", "least", "mean", "most");
  text += row("global queue", report.run_queue, report, [](const auto& s) { return s.run_queue; });
  text +=
      row("Ps' queues", report.local_queues, report, [](const auto& s) { return s.local_queues; });
  text += row("idle Ps", report.idle_procs, report, [](const auto& s) { return s.idle_procs; });
  text += row("threads", report.threads, report, [](const auto& s) { return s.threads; });
  if (report.detailed)
    text += row("waiting", report.waiting, report, [](const auto& s) { return s.waiting; });
  text += fmt::format("\nidle Ps while goroutines queue: {} of {} samples\n",
                      report.idle_while_queued, report.count);
  add_verdicts(text, report, options);
  for (const SchedLook& look : looks) {
    text += fmt::format("\nwhen it was {}, at {}:\n", to_string(look.verdict), to_text(look.at));
    text += look.failure.empty()
                ? render_top(look.groups, options)
                : fmt::format("its goroutines could not be read: {}\n", printable(look.failure));
  }
  for (const Note& note : report.notes.all())
    text +=
        fmt::format("\n{}: {} ({})\n", to_string(note.severity), printable(note.text), note.count);
  return text;
}

std::string render_schedule_json(const SchedReport& report, const std::vector<SchedLook>& looks) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.schedtrace/1");
  json.member("source", report.source);
  json.member("samples_seen", report.count);
  json.member("span_ns", report.span.value);
  json.member("gomaxprocs", report.gomaxprocs);
  json.member("detailed", report.detailed);
  write_spread(json, "run_queue", report.run_queue);
  write_spread(json, "local_queues", report.local_queues);
  write_spread(json, "idle_procs", report.idle_procs);
  write_spread(json, "threads", report.threads);
  if (report.detailed) write_spread(json, "waiting", report.waiting);
  json.member("idle_while_queued", report.idle_while_queued);
  write_verdicts(json, report.verdicts);
  write_looks(json, looks);
  json.key("samples");
  json.begin_array();
  for (const SchedSample& sample : report.samples) write_sample(json, sample);
  json.end_array();
  json.key("notes");
  write_notes(json, report.notes);
  json.end_object();
  out += '\n';
  return out;
}

namespace {

/// What holds now: findings come first.
const SchedVerdict* verdict_now(const SchedReport& report) {
  const auto found =
      std::ranges::find(report.verdicts, report.samples.back().at, &SchedVerdict::to);
  return found == report.verdicts.end() ? nullptr : &*found;
}

std::string queued_now(const SchedSample& now) {
  return fmt::format("{} ({} global, {} in Ps, {} in one)", now.queued(), now.run_queue,
                     now.local_queues, now.longest_local);
}

std::string idle_now(const SchedSample& now) {
  return fmt::format("{} of {}{}", now.idle_procs, now.gomaxprocs,
                     now.idle_procs > 0 && now.queued() > 0 ? ", while goroutines queue" : "");
}

}  // namespace

std::vector<std::string> render_schedule_now(const SchedReport& report, std::size_t columns,
                                             bool colour) {
  if (report.samples.empty()) return {};
  const SchedSample& now = report.samples.back();
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::string& figures, const auto& value) {
    lines.push_back(fmt::format("{:<9}{:<40}  {}", name, figures, timeline(report, value)));
  };
  lines.push_back(
      fmt::format("-- scheduler at {}, GOMAXPROCS {}", to_text(now.at), now.gomaxprocs));
  add("queued", queued_now(now), [](const auto& s) { return s.queued(); });
  add("idle Ps", idle_now(now), [](const auto& s) { return s.idle_procs; });
  add("threads", std::to_string(now.threads), [](const auto& s) { return s.threads; });
  if (now.detailed)
    add("waiting", std::to_string(now.waiting), [](const auto& s) { return s.waiting; });
  const SchedVerdict* verdict = verdict_now(report);
  lines.push_back("verdict  " + (verdict == nullptr
                                     ? std::string("none")
                                     : fmt::format("{} since {}: {}", to_string(verdict->kind),
                                                   to_text(verdict->from), verdict->text)));
  for (std::string& line : lines) line = clipped(printable(line), columns);
  if (colour && verdict != nullptr && verdict->is_finding)
    lines.back() = "\x1b[31m" + lines.back() + "\x1b[0m";
  return lines;
}

std::string render_schedule_line(const SchedReport& report, std::size_t columns) {
  if (report.samples.empty()) return {};
  const SchedSample& now = report.samples.back();
  const SchedVerdict* verdict = verdict_now(report);
  return clipped(
      printable(fmt::format("weir: scheduler at {}: queued {}; idle Ps {}; threads {}; {}",
                            to_text(now.at), queued_now(now), idle_now(now), now.threads,
                            verdict == nullptr ? "no verdict" : to_string(verdict->kind))),
      columns);
}

}  // namespace weir::report
