#include "weir/report/top_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/model/describe.h"
#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Frame;
using model::Goroutine;
using model::Movement;
using model::TopBy;
using model::TopReport;
using model::TopRow;
using model::TrendReport;
using model::TrendRow;

namespace {

constexpr std::size_t most_frames = 6;

class Page {
 public:
  explicit Page(const TopOptions& options) : options_(options) {}

  std::string paint(const char* code, std::string_view text) const {
    return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  void line(std::string_view text = {}) { (out_ += text) += '\n'; }
  void field(std::string_view name, std::string_view text) {
    if (!text.empty()) line(fmt::format("    {:<12}{}", name, printable(text)));
  }
  std::string place(std::string_view function, std::string_view file, int number) const {
    std::string text = model::name_in_traceback(function);
    if (!file.empty()) text += fmt::format("  {}:{}", below(file, options_.root), number);
    return text;
  }
  std::string take() { return std::move(out_); }

 private:
  const TopOptions& options_;
  std::string out_;
};

/// The user's frames, or all that a traceback shows when there are none of the user's.
std::vector<const Frame*> frames_to_show(const model::Stack& stack) {
  std::vector<const Frame*> shown;
  for (const Frame& frame : stack)
    if (!frame.wrapper && model::is_user_function(frame.function)) shown.push_back(&frame);
  if (!shown.empty()) return shown;
  for (const Frame& frame : stack)
    if (!frame.wrapper && model::is_shown(frame.function, shown.empty())) shown.push_back(&frame);
  return shown;
}

void add_stack(Page& page, const Goroutine& goroutine) {
  if (!goroutine.stack) return;
  const auto frames = frames_to_show(*goroutine.stack);
  for (std::size_t i = 0; i < frames.size() && i < most_frames; ++i)
    page.field(i == 0 ? "at" : "",
               page.place(frames[i]->function, frames[i]->file, frames[i]->line));
  if (frames.size() > most_frames)
    page.field("", fmt::format("… {} more", frames.size() - most_frames));
  if (!goroutine.created.function.empty())
    page.field("created by", page.place(goroutine.created.function, goroutine.created.file,
                                        goroutine.created.line));
}

std::string labels_text(const Goroutine& goroutine) {
  std::string text;
  for (const auto& [key, value] : goroutine.labels)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
  return text;
}

std::string share(std::uint64_t part, std::uint64_t all) {
  return fmt::format("{:.1f} %",
                     all == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

void add_notes(Page& page, const Notes& notes) {
  for (const Note& note : notes.all())
    page.line(fmt::format("{}: {}{}{}", to_string(note.severity), printable(note.text),
                          note.place.empty() ? "" : " (" + printable(note.place) + ")",
                          note.advice.empty() ? "" : "; " + printable(note.advice)));
}

void add_row(Page& page, const TopRow& row, std::size_t number, const TopReport& report) {
  page.line(fmt::format("#{:<3} {}  {:>7}  {}", number,
                        page.paint("1", counted(row.count, "goroutine")),
                        share(row.count, report.chosen), printable(row.key)));
  if (report.by != TopBy::state && report.knows.state)
    page.field("state", model::state_of(row.exemplar));
  if (row.longest_wait) page.field("waits", fmt::format("at least {}", to_text(*row.longest_wait)));
  if (row.exemplar.blocked_on) page.field("blocked on", model::describe(*row.exemplar.blocked_on));
  add_stack(page, row.exemplar);
  page.field("labels", labels_text(row.exemplar));
  page.field("id", row.id);
}

std::string headline(const TopReport& report) {
  std::string text = fmt::format("{}: {}", report.source.name, counted(report.total, "goroutine"));
  if (report.chosen != report.total) text += fmt::format(", {} chosen", report.chosen);
  if (report.chosen > 0 && report.knows.wait)
    text += fmt::format(", {} parked", share(report.waiting, report.chosen));
  if (report.by != TopBy::fingerprint)
    text += fmt::format(", by {}{}", to_string(report.by),
                        report.label.empty() ? "" : " " + report.label);
  if (!report.knows.wait) {
    text += "; debug=1 does not tell states";
  } else if (!report.knows.state) {
    text += "; a profile: states are read off the stacks";
  }
  return text;
}

std::string counts_text(const TrendRow& row) {
  std::string text;
  for (const std::uint64_t count : row.counts)
    text += fmt::format("{}{}", text.empty() ? "" : " → ", count);
  return text;
}

const char* colour_of(Movement movement) {
  switch (movement) {
    case Movement::is_new:
    case Movement::grown:
      return "1;31";
    case Movement::shrunk:
    case Movement::gone:
      return "32";
    case Movement::same:
      break;
  }
  return "0";
}

void add_row(Page& page, const TrendRow& row, std::size_t number) {
  std::string rate;
  if (row.per_minute && *row.per_minute != 0) rate = fmt::format("  {:+.3g}/min", *row.per_minute);
  if (row.monotonic) rate += "  never shrank";
  page.line();
  page.line(fmt::format("#{:<3} {:<7} {}{}  {}", number,
                        page.paint(colour_of(row.movement), to_string(row.movement)),
                        counts_text(row), rate, printable(row.fingerprint.key)));
  add_stack(page, row.exemplar);
  page.field("labels", labels_text(row.exemplar));
  page.field("id", row.fingerprint.id);
}

void add_sources(Page& page, const TrendReport& report) {
  for (std::size_t i = 0; i < report.sources.size(); ++i)
    page.line(fmt::format("{}  {}: {}", static_cast<char>('A' + static_cast<char>(i % 26)),
                          printable(report.sources[i].name),
                          counted(report.totals[i], "goroutine")));
  if (report.span) page.line(fmt::format("over {}", to_text(*report.span)));
}

}  // namespace

std::string render_top(const TopReport& report, const TopOptions& options) {
  Page page(options);
  page.line(printable(headline(report)));
  const std::size_t shown =
      options.top == 0 ? report.rows.size() : std::min(options.top, report.rows.size());
  for (std::size_t i = 0; i < shown; ++i) {
    page.line();
    add_row(page, report.rows[i], i + 1, report);
  }
  std::uint64_t rest = 0;
  for (std::size_t i = shown; i < report.rows.size(); ++i) rest += report.rows[i].count;
  if (shown < report.rows.size()) {
    page.line();
    page.line(fmt::format("{} more with {} (-top 0 shows all)",
                          counted(report.rows.size() - shown, "group"),
                          counted(rest, "goroutine")));
  }
  add_notes(page, report.notes);
  return page.take();
}

std::string render_top_row(const TopRow& row, std::size_t number, const TopReport& report,
                           const TopOptions& options) {
  Page page(options);
  add_row(page, row, number, report);
  return page.take();
}

std::string render_trend(const TrendReport& report, const TopOptions& options) {
  Page page(options);
  add_sources(page, report);
  const auto moved = static_cast<std::size_t>(
      std::count_if(report.rows.begin(), report.rows.end(),
                    [](const TrendRow& row) { return row.movement != Movement::same; }));
  const std::size_t shown = options.top == 0 ? moved : std::min(options.top, moved);
  std::size_t number = 0;
  for (const TrendRow& row : report.rows) {
    if (row.movement == Movement::same) continue;
    if (number == shown) break;
    add_row(page, row, ++number);
  }
  page.line();
  if (shown < moved)
    page.line(fmt::format("{} more changed (-top 0 shows all)", counted(moved - shown, "group")));
  page.line(fmt::format("{} did not change", counted(report.rows.size() - moved, "group")));
  add_notes(page, report.notes);
  return page.take();
}

}  // namespace weir::report
