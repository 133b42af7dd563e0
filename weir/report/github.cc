// GitHub workflow commands. Escaping as actions/toolkit does it (packages/core/src/command.ts):
// data escapes %, CR and LF; properties also : and ,.
#include <fmt/format.h>

#include <algorithm>

#include "weir/report/finding_rows.h"
#include "weir/report/gate_files.h"
#include "weir/report/prof_health_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::GateReport;

namespace {

constexpr std::size_t worst = 10;  ///< GitHub shows ten annotations of a kind for a step

std::string escape(std::string_view text, bool property) {
  std::string valid;
  append_utf8(valid, text);
  std::string out;
  for (const char c : valid) {
    if (c == '%') {
      out += "%25";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else if (property && c == ':') {
      out += "%3A";
    } else if (property && c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

std::string command(std::string_view level, const model::CodePlace& place, std::string_view root,
                    std::string_view title, std::string_view message) {
  std::string out = fmt::format("::{} ", level);
  if (!place.file.empty() && place.file != "?") {
    out += fmt::format("file={},", escape(below(place.file, root), true));
    if (place.line > 0) out += fmt::format("line={},", place.line);
  }
  return out + fmt::format("title={}::{}\n", escape(title, true), escape(message, false));
}

std::string message_of(const FindingRow& row) {
  const model::Finding& finding = *row.finding;
  std::string text = finding.cause.sentence;
  if (!finding.blocked_on.empty()) text += fmt::format("\nBlocked on: {}", finding.blocked_on);
  if (!finding.created.function.empty())
    text += fmt::format("\nCreated by {} at {}:{}", finding.created.function, finding.created.file,
                        finding.created.line);
  if (!row.tests.empty()) text += "\nTests: " + tests_text(row.tests, 5);
  if (!finding.cause.advice.empty()) text += "\n" + finding.cause.advice;
  return text + fmt::format("\nFingerprint: {}", finding.fingerprint.id);
}

}  // namespace

std::string render_github_annotations(const GateReport& report, std::string_view root) {
  std::string out;
  std::size_t written = 0;
  std::size_t left = 0;
  const auto add = [&](const std::string& text) {
    if (written++ < worst) {
      out += text;
    } else {
      ++left;
    }
  };
  for (const model::ExecResult& program : report.programs) {
    if (program.stuck && program.stuck->stuck)
      add(command("error",
                  program.stuck->lines.empty() ? model::CodePlace{} : program.stuck->lines[0].where,
                  root, "weir: stuck: " + program.package, program.stuck->headline));
    if (program.pointer_fault)
      add(command("error", best_place(program.pointer_fault->stack, {}, root), root,
                  "weir: unsafe pointer: " + program.package, program.pointer_fault->message));
    if (program.scheduler)
      for (const model::SchedVerdict& verdict : program.scheduler->verdicts)
        if (verdict.is_finding)
          add(command(
              "error", {}, root,
              fmt::format("weir: scheduler {}: {}", to_string(verdict.kind), program.package),
              verdict.text + "\n" + verdict.advice));
    if (!program.not_checked.empty())
      add(command("warning", {}, root, "weir: not checked: " + program.package,
                  program.not_checked));
  }
  for (const model::Explored& one : report.explored)
    if (!one.outcome.empty())
      add(command("error", one.place, root, fmt::format("weir: {} in {}", one.outcome, one.test),
                  fmt::format("{}. Some schedule of the test leads here: weir replay {}",
                              one.message, one.file)));
  for (const model::HealthReport& health : report.health)
    if (health.crossed)
      add(command("error", place_of(health), root,
                  fmt::format("weir: {} profile beyond its limit", health_word(health.kind)),
                  fmt::format("{} ({})", health_sentence(health), health.source)));
  for (const FindingRow& row : rows_of(report)) {
    const std::string title = fmt::format("weir: {} {} ({})", counted(row.count, "goroutine"),
                                          model::to_string(row.finding->verdict),
                                          model::to_string(row.finding->cause.certainty));
    add(command(row.fails ? "error" : "warning", best_place(*row.finding, root), root, title,
                message_of(row)));
  }
  if (left > 0)
    out += command("notice", {}, root, "weir",
                   fmt::format("{} not annotated: weir's report in the log has all of them",
                               counted(left, "more finding")));
  return out;
}

}  // namespace weir::report
