#include "weir/report/trace_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weir/model/describe.h"
#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Distribution;
using model::Frame;
using model::OpenWaits;
using model::TraceReport;
using model::TraceRow;
using model::TraceSection;
using model::TraceSummary;

namespace {

constexpr std::size_t most_frames = 4;
constexpr std::size_t most_open = 5;

std::string percent(double part, double whole) {
  return fmt::format("{:.1f} %", whole <= 0 ? 0.0 : 100.0 * part / whole);
}

double as_double(Nanos nanos) {
  return static_cast<double>(nanos.value);
}

/// Padding by characters, not bytes: "µ" has two of these.
std::string right(std::string_view text, std::size_t width) {
  const auto shown = static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return std::string(width > shown ? width - shown : 0, ' ').append(text);
}

std::string section_name(const TraceSection& section) {
  return section.scheduling ? "scheduling" : std::string(to_string(section.kind));
}

std::string figures(const Distribution& waits) {
  std::string text = right(grouped(waits.count), 12) + right(to_text(waits.total), 10);
  for (const double share : {0.5, 0.9, 0.99, 0.999})
    text += right(to_text(waits.percentile(share)), 10);
  return text + right(to_text(waits.longest), 10);
}

class Page {
 public:
  explicit Page(const TraceTextOptions& options) : options_(options) {}

  std::string paint(const char* code, std::string_view text) const {
    return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  void line(std::string_view text = {}) { (out_ += text) += '\n'; }
  std::string place(const Frame& frame) const {
    std::string text = model::name_in_traceback(frame.function);
    if (!frame.file.empty())
      text += fmt::format("  {}:{}", below(frame.file, options_.root), frame.line);
    return printable(text);
  }
  std::string take() { return std::move(out_); }

 private:
  const TraceTextOptions& options_;
  std::string out_;
};

std::vector<const Frame*> frames_to_show(const model::Stack& stack) {
  std::vector<const Frame*> shown;
  for (const Frame& frame : stack)
    if (model::is_user_function(frame.function)) shown.push_back(&frame);
  if (!shown.empty()) return shown;
  for (const Frame& frame : stack) shown.push_back(&frame);
  return shown;
}

void add_stack(Page& page, const model::Stack& stack, std::string_view lead) {
  const auto frames = frames_to_show(stack);
  for (std::size_t i = 0; i < frames.size() && i < most_frames; ++i)
    page.line(fmt::format("      {:<12}{}", i == 0 ? lead : "", page.place(*frames[i])));
  if (frames.size() > most_frames)
    page.line(fmt::format("      {:<12}… {} more", "", frames.size() - most_frames));
}

void add_row(Page& page, const TraceRow& row, const TraceSection& section, std::size_t number,
             model::TraceBy by) {
  const std::string share = percent(as_double(row.waits.total), as_double(section.waits.total));
  page.line(fmt::format("  #{:<5}{}{}", number, right(share, 8), figures(row.waits)));
  if (by != model::TraceBy::stack)
    page.line(fmt::format("      {:<12}{}", to_string(by), printable(row.key)));
  add_stack(page, row.stack, by == model::TraceBy::stack ? "at" : "longest at");
  page.line(fmt::format("      {:<12}goroutine {} at {}", "longest", row.waits.longest_goroutine,
                        to_text(Nanos{row.waits.longest_at})));
  if (section.kind == model::TraceKind::sleep || section.kind == model::TraceKind::syscall) return;
  std::string wakers;
  for (const auto& waker : row.wakers)
    wakers += fmt::format(
        "{}{} {}", wakers.empty() ? "" : ", ", printable(waker.where),
        percent(static_cast<double>(waker.count), static_cast<double>(row.waits.count)));
  if (!wakers.empty()) page.line(fmt::format("      {:<12}{}", "woken by", wakers));
}

void add_section(Page& page, const TraceSection& section, const TraceReport& report,
                 const TraceTextOptions& options) {
  page.line();
  std::string parts;
  for (const auto& [kind, count] : section.parts)
    parts += fmt::format("{}{} {}", parts.empty() ? "  (" : ", ", to_string(kind), grouped(count));
  if (!parts.empty()) parts += ")";
  page.line(page.paint("1", section_name(section)) + "  " + render_bars(section.waits.histogram) +
            parts);
  const std::size_t shown =
      options.top == 0 ? section.rows.size() : std::min(options.top, section.rows.size());
  for (std::size_t i = 0; i < shown; ++i) add_row(page, section.rows[i], section, i + 1, report.by);
  if (shown < section.rows.size())
    page.line(fmt::format("  … {} more, see -top", section.rows.size() - shown));
}

void add_summary(Page& page, const TraceSummary& summary) {
  page.line(fmt::format("{}: {}, {} events in {}, format {} (Go {}){}",
                        page.paint("1", printable(summary.source)), to_text(summary.span),
                        grouped(summary.events), counted(summary.generations, "generation"),
                        summary.format, summary.go,
                        summary.begins_late ? ", begins in the middle: a flight recording" : ""));
  const double offered = as_double(summary.span) * static_cast<double>(std::max<std::uint64_t>(
                                                       summary.gomaxprocs, summary.procs));
  page.line(fmt::format("{}, {} created, {} ended; {} used{}, busy {}; {}",
                        counted(summary.goroutines, "goroutine"), grouped(summary.created),
                        grouped(summary.ended), counted(summary.procs, "P"),
                        summary.gomaxprocs != 0 ? fmt::format(" of {}", summary.gomaxprocs) : "",
                        percent(as_double(summary.running), offered),
                        summary.threads != 0 ? counted(summary.threads, "thread")
                                             : std::string("threads are not in this format")));
  page.line(fmt::format(
      "GC: {}, under way for {} of the time, world stopped {}; runnable goroutines: {:.1f} on "
      "average, {} at most",
      counted(summary.gc_cycles, "cycle"),
      percent(as_double(summary.gc_active), as_double(summary.span)),
      to_text(summary.stopped_world), summary.runnable_mean, grouped(summary.runnable_most)));
}

std::string_view word_of(model::TraceKind kind) {
  return is_scheduling(kind) ? "scheduling" : to_string(kind);
}

void add_life(Page& page, const model::TraceLife& life) {
  const auto field = [&page](const char* name, const std::string& text) {
    page.line(fmt::format("      {:<12}{}", name, printable(text)));
  };
  page.line(page.paint("1", fmt::format("goroutine {}", life.goroutine)) + "  " +
            (life.seen ? printable(life.function) : "is not in the trace"));
  if (!life.seen) return;
  field("created", life.from_start
                       ? "before the trace"
                       : fmt::format("at {} by {}", to_text(life.first), life.created_by));
  for (const model::TraceLifePart& part : life.parts)
    field(part.kind == life.parts.front().kind ? "spent" : "",
          fmt::format("{} {} in {}, the longest {}", word_of(part.kind), to_text(part.total),
                      counted(part.count, "interval"), to_text(part.longest)));
  field("ended", life.ended ? fmt::format("at {}", to_text(life.last))
                            : fmt::format("not in the trace: {} for {} at its end",
                                          word_of(life.at_end), to_text(life.at_end_for)));
}

void add_open(Page& page, const TraceReport& report, const TraceTextOptions& options) {
  if (report.open.empty()) return;
  page.line();
  std::uint64_t waiting = 0;
  for (const OpenWaits& open : report.open) waiting += open.count;
  page.line(page.paint("1", "not woken until the end") +
            fmt::format("  {} for another one; a leak is possible, and `weir why` on the "
                        "process can tell",
                        counted(waiting, "goroutine") + (waiting == 1 ? " waits" : " wait")));
  const std::size_t shown =
      options.top == 0 ? report.open.size() : std::min(most_open, report.open.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const OpenWaits& open = report.open[i];
    page.line(fmt::format("  #{:<3}{}  {}, for {}{}", i + 1, counted(open.count, "goroutine"),
                          to_string(open.kind), open.from_start != 0 ? "at least " : "",
                          to_text(open.longest)));
    if (open.exemplar.stack) add_stack(page, *open.exemplar.stack, "at");
    if (!open.exemplar.created.function.empty())
      page.line(fmt::format("      {:<12}{}", "created by",
                            printable(model::name_in_traceback(open.exemplar.created.function))));
    page.line(fmt::format("      {:<12}{}", "id", open.fingerprint.id));
  }
  if (shown < report.open.size())
    page.line(fmt::format("  … {} more groups, see -top", report.open.size() - shown));
}

void add_notes(Page& page, const Notes& notes) {
  for (const Note& note : notes.all())
    page.line(fmt::format("{}: {}{}{}{}", to_string(note.severity), printable(note.text),
                          note.count > 1 ? fmt::format(" ({} times)", note.count) : "",
                          note.place.empty() ? "" : " (" + printable(note.place) + ")",
                          note.advice.empty() ? "" : "; " + printable(note.advice)));
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string render_bars(const model::LogHistogram& histogram) {
  constexpr const char* bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto powers = histogram.powers();
  if (powers.empty()) return {};
  std::uint64_t most = 0;
  for (const auto& power : powers) most = std::max(most, power.count);
  std::string text = to_text(Nanos{static_cast<std::int64_t>(powers.front().low)}) + " ";
  std::uint64_t expected = powers.front().low;
  for (const auto& power : powers) {
    for (; expected < power.low; expected = expected == 0 ? 64 : expected * 2) text += " ";
    const double share = static_cast<double>(power.count) / static_cast<double>(most);
    text += bars[std::min<std::size_t>(7, static_cast<std::size_t>(share * 7.999))];
    expected = power.low == 0 ? 64 : power.low * 2;
    if (expected == 0) break;
  }
  return text + " " +
         to_text(Nanos{
             static_cast<std::int64_t>(std::min<std::uint64_t>(powers.back().high, INT64_MAX))});
}

std::string render_trace(const TraceReport& report, const TraceTextOptions& options) {
  Page page(options);
  add_summary(page, report.summary);
  if (!report.filter.empty()) page.line("only " + printable(report.filter));
  if (!report.lives.empty()) page.line();
  for (const model::TraceLife& life : report.lives) add_life(page, life);
  page.line();
  page.line(page.paint("1", fmt::format("{:<16}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}", "waits",
                                        "count", "total", "p50", "p90", "p99", "p99.9", "max")));
  for (const TraceSection& section : report.sections)
    page.line(fmt::format("{:<16}{}", section_name(section), figures(section.waits)));
  if (report.sections.empty()) page.line("(none)");
  for (const TraceSection& section : report.sections)
    if (section.kind != model::TraceKind::system && section.kind != model::TraceKind::gc)
      add_section(page, section, report, options);
  add_open(page, report, options);
  if (!report.health.empty()) page.line();
  for (const model::TraceHealth& health : report.health)
    page.line(fmt::format("{} {}: {}", health.crossed ? page.paint("31", "CROSSED") : "ok",
                          health.rule, health.text));
  if (!report.summary.notes.empty() || !report.notes.empty()) page.line();
  add_notes(page, report.summary.notes);
  add_notes(page, report.notes);
  return page.take();
}

std::string render_trace_bytes(const TraceSummary& summary) {
  std::vector<model::TraceBytes> parts = summary.bytes;
  std::uint64_t known = 0;
  for (const model::TraceBytes& part : parts) known += part.bytes;
  if (known < summary.size) parts.push_back({"not read", summary.size - known});
  std::ranges::stable_sort(parts, std::greater{}, &model::TraceBytes::bytes);
  parts.push_back({"in all", summary.size});
  std::string text;
  for (const model::TraceBytes& part : parts)
    text += fmt::format("{:>12}{:>10}  {}\n", part.bytes,
                        percent(static_cast<double>(part.bytes), static_cast<double>(summary.size)),
                        part.name);
  return text;
}

}  // namespace weir::report
