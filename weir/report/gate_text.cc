#include "weir/report/gate_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/prof_health_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::ExecResult;
using model::Finding;
using model::GateReport;

namespace {

constexpr std::size_t max_frames = 8;
constexpr std::size_t max_tests = 6;
constexpr std::size_t max_listed = 10;  ///< of ids, unseen entries, packages

/// Collects lines; knows colours and the width.
class Page {
 public:
  explicit Page(const TextOptions& options) : options_(options) {}

  std::string paint(std::string_view code, std::string_view text) const {
    if (!options_.colour) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }
  void line(std::string_view text = {}) { (out_ += text) += '\n'; }

  /// "    name:       text", wrapped so that what follows stays in its column.
  void field(std::string_view name, std::string_view text) {
    if (text.empty()) return;
    constexpr std::size_t column = 16;
    const std::string title = name.empty() ? "" : fmt::format("{}:", name);
    std::string head = fmt::format("    {:<{}}", title, column - 4);
    std::size_t used = column;
    const std::size_t width = static_cast<std::size_t>(std::max(options_.width, 40));
    std::string rest = printable(text);
    std::string_view left = rest;
    bool first = true;
    while (!left.empty()) {
      const std::string_view word = left.substr(0, left.find(' '));
      left.remove_prefix(std::min(left.size(), word.size() + 1));
      if (!first && used + 1 + word.size() > width) {
        line(head.substr(0, head.find_last_not_of(' ') + 1));
        head.assign(column, ' ');
        used = column;
        first = true;
      }
      if (!first) head += ' ';
      head += word;
      used += word.size() + (first ? 0 : 1);
      first = false;
    }
    line(head);
  }

  std::string take() { return std::move(out_); }

 private:
  const TextOptions& options_;
  std::string out_;
};

std::string place_text(const model::CodePlace& place, std::string_view root = {}) {
  if (place.file.empty()) return place.function;
  return fmt::format("{}  {}:{}", place.function, below(place.file, root), place.line);
}

std::string join_some(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < max_listed; ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > max_listed) text += fmt::format(" and {} more", names.size() - max_listed);
  return text;
}

std::string standing(const FindingRow& row, const GateReport& report) {
  if (!report.has_baseline) return {};
  return row.finding->known ? "known " : "new ";
}

void add_stack(Page& page, const Finding& finding, std::string_view root) {
  const std::size_t shown = std::min(finding.stack.size(), max_frames);
  for (std::size_t i = 0; i < shown; ++i)
    page.field(i == 0 ? "at" : "", place_text(finding.stack[i], root));
  if (finding.stack.size() > shown)
    page.field("", fmt::format("… {} more", finding.stack.size() - shown));
  for (const model::OtherStack& other : finding.others) {
    const auto user = std::find_if(other.stack.begin(), other.stack.end(), [](const auto& place) {
      return model::is_user_function(place.function);
    });
    const auto at = user == other.stack.end() ? other.stack.begin() : user;
    if (at != other.stack.end())
      page.field("also at",
                 fmt::format("{} ({})", place_text(*at, root), counted(other.count, "goroutine")));
  }
}

void add_full(Page& page, const FindingRow& row, std::size_t number, const GateReport& report,
              std::string_view root) {
  const Finding& finding = *row.finding;
  const std::string verdict =
      fmt::format("{}{}", standing(row, report), model::to_string(finding.verdict));
  page.line();
  page.line(fmt::format(
      "#{}  {}  {}  in {}", number, page.paint(row.fails ? "1;31" : "33", verdict),
      page.paint("1", counted(row.count, "goroutine")), printable(join_some(row.packages))));
  page.field("cause", fmt::format("{} [{}]", finding.cause.sentence,
                                  model::to_string(finding.cause.certainty)));
  std::string state = finding.state;
  if (finding.oldest) state += fmt::format(", for at least {}", to_text(*finding.oldest));
  page.field("state", state);
  page.field("blocked on", finding.blocked_on);
  add_stack(page, finding, root);
  if (!finding.created.function.empty())
    page.field("created by", place_text(finding.created, root));
  page.field("tests", tests_text(row.tests, max_tests));
  for (const std::string& evidence : finding.cause.evidence) {
    // What it is blocked on stands above already.
    if (evidence.starts_with("blocked on: ") || evidence.starts_with("state: ")) continue;
    page.field("evidence", evidence);
  }
  page.field("unless", finding.cause.weakened_by);
  page.field("advice", finding.cause.advice);
  page.field("id", fmt::format("{}  {}", finding.fingerprint.id, finding.fingerprint.key));
}

void add_short(Page& page, const FindingRow& row, std::size_t number, const GateReport& report) {
  const Finding& finding = *row.finding;
  page.line(fmt::format("#{}  {}{}  {}  {}  [{}]  {}", number, standing(row, report),
                        model::to_string(finding.verdict), counted(row.count, "goroutine"),
                        printable(finding.fingerprint.key), printable(finding.cause.code),
                        finding.fingerprint.id));
  page.field("tests", tests_text(row.tests, max_tests));
}

std::string headline(const GateReport& report, const std::vector<FindingRow>& rows) {
  std::uint64_t goroutines = 0;
  std::size_t fresh = 0;
  for (const FindingRow& row : rows) {
    goroutines += row.count;
    fresh += row.finding->known ? 0 : 1;
  }
  std::string text =
      fmt::format("weir: {} {} in {}", counted(goroutines, "goroutine"),
                  goroutines == 1 ? "lingers" : "linger", counted(rows.size(), "place"));
  if (!report.has_baseline) return text;
  return text + fmt::format(": {} new, {} known{}", fresh, rows.size() - fresh,
                            report.strict ? ", and -strict fails on both" : "");
}

void add_findings(Page& page, const GateReport& report, const TextOptions& options) {
  const std::vector<FindingRow> rows = rows_of(report);
  if (rows.empty()) return;
  page.line(page.paint("1", headline(report, rows)));
  const std::size_t full =
      options.top <= 0 ? rows.size() : std::min(rows.size(), static_cast<std::size_t>(options.top));
  for (std::size_t i = 0; i < full; ++i) add_full(page, rows[i], i + 1, report, options.root);
  if (full < rows.size()) {
    page.line();
    page.line(fmt::format("and {} more, in short (-top 0 shows all in full):", rows.size() - full));
  }
  for (std::size_t i = full; i < rows.size(); ++i) add_short(page, rows[i], i + 1, report);
}

void add_unchecked(Page& page, const GateReport& report) {
  for (const ExecResult& program : report.programs) {
    if (program.not_checked.empty()) continue;
    page.line(
        page.paint("1;33", fmt::format("weir: not checked: {}: {}", printable(program.package),
                                       printable(program.not_checked))));
  }
}

void add_not_seen(Page& page, const GateReport& report) {
  if (report.not_seen.empty()) return;
  page.line();
  page.line(fmt::format("weir: {} of the baseline not seen in this run; -update-baseline drops {}:",
                        counted(report.not_seen.size(), "fingerprint"),
                        report.not_seen.size() == 1 ? "it" : "them"));
  for (std::size_t i = 0; i < report.not_seen.size() && i < max_listed; ++i) {
    const model::BaselineEntry& entry = report.not_seen[i];
    page.line(fmt::format("    {}  {}", entry.fingerprint.id, printable(entry.fingerprint.key)));
  }
  if (report.not_seen.size() > max_listed)
    page.line(fmt::format("    and {} more", report.not_seen.size() - max_listed));
}

void add_counts(Page& page, const ExecResult& program) {
  if (program.counts.empty()) return;
  page.line();
  page.line(fmt::format("goroutines per test in {} (before, after, highest seen):",
                        printable(program.package)));
  for (const model::TestCount& count : program.counts)
    page.line(fmt::format("    {:>7} {:>7} {:>7}  {}", count.before, count.after, count.peak,
                          printable(count.test)));
}

void add_notes(Page& page, const ExecResult& program) {
  for (const Note& note : program.notes.all()) {
    if (note.severity == Severity::info) continue;
    std::string text =
        fmt::format("weir: {}: {}: {}", to_string(note.severity), program.package, note.text);
    if (!note.place.empty()) text += fmt::format(" ({})", note.place);
    if (note.count > 1) text += fmt::format(", {} times", note.count);
    if (!note.advice.empty()) text += fmt::format("; {}", note.advice);
    page.line(printable(text));
  }
}

void add_pointer_fault(Page& page, const ExecResult& program) {
  if (!program.pointer_fault) return;
  const model::PointerFault& fault = *program.pointer_fault;
  page.line(page.paint("1;31", printable(fmt::format("weir: {}: unsafe pointer: {}",
                                                     program.package, fault.message))));
  for (std::size_t i = 0; i < fault.stack.size() && i < max_listed; ++i)
    page.field(i == 0 ? "at" : "", place_text(fault.stack[i]));
}

void add_scheduler(Page& page, const ExecResult& program) {
  if (!program.scheduler) return;
  const model::SchedReport& report = *program.scheduler;
  page.line(printable(fmt::format(
      "weir: {}: scheduler: {} over {}, GOMAXPROCS {}, at most {} queued for all, {} for single "
      "Ps, {}",
      program.package, counted(report.count, "sample"), to_text(report.span), report.gomaxprocs,
      report.run_queue.most, report.local_queues.most, counted(report.threads.most, "thread"))));
  for (const model::SchedVerdict& verdict : report.verdicts) {
    const std::string name = to_string(verdict.kind);
    page.line(fmt::format("  {} from {} to {}",
                          verdict.is_finding ? page.paint("1;31", name) : name,
                          to_text(verdict.from), to_text(verdict.to)));
    page.field("", verdict.text);
    page.field("advice", verdict.advice);
  }
}

/// What was found is told in full by render_exploration; this counts.
void add_explored(Page& page, const GateReport& report) {
  if (report.explored.empty()) return;
  std::uint64_t schedules = 0, faults = 0;
  std::vector<const model::Explored*> uncontrolled;
  for (const model::Explored& one : report.explored) {
    schedules += one.schedules;
    faults += one.outcome.empty() ? 0 : 1;
    if (one.control == "not controlled") uncontrolled.push_back(&one);
  }
  page.line(
      page.paint(faults == 0 ? "1" : "1;31",
                 fmt::format("weir: {} explored in {}: {}", counted(report.explored.size(), "test"),
                             counted(schedules, "schedule"),
                             faults == 0 ? "no fault" : counted(faults, "fault"))));
  for (const model::Explored& one : report.explored) {
    if (one.outcome.empty()) continue;
    page.line(printable(fmt::format("    {} {}: {}: {}; weir replay {}", one.package, one.test,
                                    one.outcome, one.message, one.file)));
  }
  for (std::size_t i = 0; i < uncontrolled.size() && i < max_listed; ++i)
    page.line(printable(fmt::format("    {} {}: not controlled: {}", uncontrolled[i]->package,
                                    uncontrolled[i]->test, uncontrolled[i]->why)));
  if (uncontrolled.size() > max_listed)
    page.line(fmt::format("    and {} more not controlled", uncontrolled.size() - max_listed));
}

std::string ids_text(const std::vector<Goid>& ids) {
  std::string text = ids.size() == 1 ? "goroutine" : "goroutines";
  for (std::size_t i = 0; i < ids.size() && i < max_listed; ++i)
    text += fmt::format("{} {}", i > 0 ? "," : "", ids[i].value);
  if (ids.size() > max_listed) text += fmt::format(" and {} more", ids.size() - max_listed);
  return text;
}

}  // namespace

std::string render_stuck_text(const model::StuckDiagnosis& diagnosis, const TextOptions& options) {
  Page page(options);
  const std::string certainty =
      diagnosis.stuck ? fmt::format(" [{}]", model::to_string(diagnosis.certainty)) : "";
  page.line(page.paint(diagnosis.stuck ? "1;31" : "1",
                       fmt::format("weir: {}{}{}", diagnosis.stuck ? "stuck: " : "",
                                   printable(diagnosis.headline), certainty)));
  for (const model::StuckLine& line : diagnosis.lines) {
    page.line(fmt::format("  {}: {}", ids_text(line.goroutines), printable(line.what)));
    page.field("at", place_text(line.where));
    page.field("could wake", line.could_wake);
  }
  for (const std::string& cycle : diagnosis.cycles)
    page.line(page.paint("1", "  circle: " + printable(cycle)));
  for (const std::string& power : diagnosis.can_wake) page.line("  " + printable(power));
  page.field("unless", diagnosis.weakened_by);
  return page.take();
}

std::string render_gate_text(const GateReport& report, const TextOptions& options) {
  std::string out;
  for (const ExecResult& program : report.programs) {
    if (!program.stuck || !program.stuck->stuck) continue;
    if (report.programs.size() > 1) out += printable(program.package) + ":\n";
    out += render_stuck_text(*program.stuck, options) + "\n";
  }
  Page page(options);
  add_findings(page, report, options);
  add_unchecked(page, report);
  add_not_seen(page, report);
  add_explored(page, report);
  for (const ExecResult& program : report.programs) {
    add_pointer_fault(page, program);
    add_scheduler(page, program);
    if (options.verbose) add_counts(page, program);
    add_notes(page, program);
  }
  out += page.take();
  if (report.health.empty()) return out;
  const bool crossed = std::any_of(report.health.begin(), report.health.end(),
                                   [](const auto& health) { return health.crossed; });
  out += crossed ? "weir: profiles beyond a limit\n" : "weir: all profiles within their limits\n";
  return out + render_health(report.health, static_cast<std::size_t>(std::max(options.top, 0)));
}

bool wants_colour(bool is_terminal, const char* no_color, const char* term,
                  const char* force_color) {
  const auto is_set = [](const char* text) { return text != nullptr && *text != '\0'; };
  if (is_set(no_color)) return false;
  if (is_set(force_color) && std::string_view(force_color) != "0") return true;
  return is_terminal && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace weir::report
