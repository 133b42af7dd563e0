#include "weir/report/watch_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "weir/model/describe.h"
#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::WatchChange;
using model::WatchLook;
using model::WatchSummary;

namespace {

std::string paint(const WatchTextOptions& options, const char* code, std::string_view text) {
  return options.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::int64_t growth(const WatchChange& change) {
  return static_cast<std::int64_t>(change.now) - static_cast<std::int64_t>(change.first);
}

std::string changes_text(const std::vector<WatchChange>& changes, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, changes.size()); ++i)
    text +=
        fmt::format("    {:+}  {}\n", growth(changes[i]), printable(changes[i].fingerprint.key));
  if (changes.size() > most)
    text += fmt::format("    … {} changed\n", counted(changes.size() - most, "group"));
  return text;
}

void add_notes(std::string& text, const Notes& notes) {
  for (const Note& note : notes.all())
    text += fmt::format("    {}: {}{}\n", to_string(note.severity), printable(note.text),
                        note.place.empty() ? "" : " (" + printable(note.place) + ")");
}

constexpr std::size_t most_frames = 6;

std::string field(std::string_view name, std::string_view text) {
  return text.empty() ? "" : fmt::format("    {:<12}{}\n", name, printable(text));
}

std::string place(std::string_view function, std::string_view file, int line,
                  const WatchTextOptions& options) {
  return fmt::format("{}  {}:{}", model::name_in_traceback(function), below(file, options.root),
                     line);
}

/// The user's frames; where there are none, those that a traceback shows.
std::string stack_text(const model::Goroutine& goroutine, const WatchTextOptions& options) {
  std::string text;
  if (!goroutine.stack) return text;
  const auto is_user = [](const model::Frame& frame) {
    return !frame.wrapper && model::is_user_function(frame.function);
  };
  const bool user = std::any_of(goroutine.stack->begin(), goroutine.stack->end(), is_user);
  std::size_t shown = 0;
  for (const model::Frame& frame : *goroutine.stack) {
    if (frame.wrapper || !(user ? is_user(frame) : model::is_shown(frame.function, shown == 0)))
      continue;
    if (shown++ == most_frames) break;
    text += field(shown == 1 ? "at" : "", place(frame.function, frame.file, frame.line, options));
  }
  const model::Creation& created = goroutine.created;
  if (!created.function.empty())
    text += field("created by", place(created.function, created.file, created.line, options));
  return text;
}

std::string proof_text(const model::AlarmProof& proof, const WatchTextOptions& options) {
  if (!proof.refused.empty())
    return fmt::format("    nothing is proved, because {}\n", printable(proof.refused));
  const char* by = proof.by_runtime ? "proved by the runtime" : "proved";
  std::string text =
      paint(options, proof.proved > 0 ? "1;31" : "1",
            fmt::format("    {} of these leaked [{}]", counted(proof.proved, "goroutine"), by));
  if (!proof.by_runtime) text += fmt::format(", {} held", proof.held);
  if (proof.proved_in_all > proof.proved)
    text += fmt::format("; {} leaked in all", counted(proof.proved_in_all, "goroutine"));
  if (proof.stopped) text += fmt::format("; the process stood for {}", to_text(*proof.stopped));
  text += '\n';
  for (std::size_t i = 0; i < proof.path.size(); ++i)
    text += field(i == 0 ? "held by" : "", (i == 0 ? "" : "-> ") + proof.path[i]);
  return text;
}

std::string path_text(const model::CausePath& path, const WatchTextOptions& options) {
  std::string text;
  for (const model::CauseStep& step : path.steps)
    text += fmt::format("    {} {}: {}\n", step.question, paint(options, "1", step.answer),
                        printable(step.evidence));
  text += fmt::format("    → {} ({}): {}\n", path.branch, to_string(path.certainty),
                      printable(path.sentence));
  text += field("weakened by", path.weakened_by);
  text += field("advice", path.advice);
  return text;
}

}  // namespace

std::string clock_text(Nanos at) {
  const std::time_t seconds = at.value / 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string render_look(const WatchLook& look, const WatchTextOptions& options) {
  const std::string head = fmt::format("{}  {}  ", clock_text(look.at), printable(look.target));
  if (!look.missed.empty())
    return head + paint(options, "33", "not seen: " + printable(look.missed)) + "\n";
  std::string text = head;
  if (!look.restarted.empty())
    text += paint(options, "33", "restarted: " + printable(look.restarted)) + "\n" + head;
  text += counted(look.total, "goroutine");
  if (look.parked > 0) text += fmt::format(", {} parked", look.parked);
  if (!look.first) text += fmt::format(", {:+} since the beginning", look.change);
  text += '\n';
  text += changes_text(look.changes, options.top);
  add_notes(text, look.notes);
  return text;
}

std::string render_alarm(const model::WatchAlarm& alarm, const WatchTextOptions& options) {
  std::string text = fmt::format("{}  {}  {}  {}\n", clock_text(alarm.at), printable(alarm.target),
                                 paint(options, "1;31", "ALARM"), printable(alarm.subject.key));
  for (const model::RuleHit& hit : alarm.hits)
    text += fmt::format("    {}: {}\n", hit.rule, printable(hit.statement));
  if (alarm.exemplar) {
    text += stack_text(*alarm.exemplar, options);
    if (alarm.exemplar->blocked_on)
      text += field("blocked on", model::describe(*alarm.exemplar->blocked_on));
  }
  if (alarm.proof) text += proof_text(*alarm.proof, options);
  if (alarm.path) text += path_text(*alarm.path, options);
  return text + field("id", alarm.subject.id);
}

std::string render_summary(const WatchSummary& summary, const WatchTextOptions& options) {
  std::string text =
      fmt::format("\n{}: {}", printable(summary.target), counted(summary.looks, "look"));
  if (summary.missed > 0) text += fmt::format(", {} without an answer", summary.missed);
  if (summary.restarts > 0) text += fmt::format(", {}", counted(summary.restarts, "restart"));
  if (summary.first && summary.last)
    text += fmt::format(", {} → {} goroutines", *summary.first, *summary.last);
  text += '\n';
  text += changes_text(summary.changes, options.top);
  text += paint(options, summary.alarms > 0 ? "1;31" : "32",
                summary.alarms > 0 ? "    " + counted(summary.alarms, "alarm") : "    no alarm");
  text += '\n';
  if (!summary.over)
    text += fmt::format("    series {} can be resumed by the same command{}\n", summary.series,
                        summary.until ? " until " + clock_text(*summary.until) : "");
  return text;
}

}  // namespace weir::report
