#include "weir/report/top_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"
#include "weir/report/watch_text.h"

namespace weir::report {

using model::TopReport;
using model::TopRow;

namespace {

constexpr std::size_t most_details = 14;  // lines of the open group
constexpr std::size_t frame_lines = 3;    // title, heading, keys

constexpr std::string_view keys =
    "q quit  ↑↓ select  enter stack  b group by  space pause  +- speed  r reset changes  h help";

constexpr std::string_view help[] = {
    "q, Ctrl-C       quit",
    "↑ ↓  k j        select a group; PgUp PgDn by ten, g to the first",
    "enter           show or hide the stack of the selected group",
    "b               group by the next of fingerprint, state, func, created, package, stack",
    "space           pause, go on",
    "+ -             look twice, half as often",
    "n               look now",
    "r               count changes from now on",
    "Ctrl-Z          suspend",
    "h ?             this page",
};

class Screen {
 public:
  Screen(const TopView& view, const TopOptions& options) : view_(view), options_(options) {}

  std::size_t left() const {
    return lines_.size() + 1 >= view_.rows ? 0 : view_.rows - 1 - lines_.size();
  }
  void line(std::string_view text, const char* code = nullptr) {
    if (left() > 0) lines_.push_back(painted(text, code));
  }
  /// The last line of the screen, whatever came before.
  std::vector<std::string> finish(std::string_view text) {
    if (view_.rows == 0) return {};
    while (lines_.size() + 1 < view_.rows) lines_.emplace_back();
    lines_.push_back(painted(text, "7"));
    return std::move(lines_);
  }

 private:
  const TopView& view_;
  const TopOptions& options_;
  std::vector<std::string> lines_;

  std::string painted(std::string_view text, const char* code) const {
    const std::string cut = clipped(text, view_.columns);
    return code == nullptr || !options_.colour ? cut : fmt::format("\x1b[{}m{}\x1b[0m", code, cut);
  }
};

std::string title(const TopReport& report, const TopView& view) {
  std::string text = fmt::format("{}  {}  {}", clock_text(view.at), printable(report.source.name),
                                 counted(report.total, "goroutine"));
  if (report.chosen != report.total) text += fmt::format(", {} chosen", report.chosen);
  if (report.chosen > 0 && report.knows.wait)
    text += fmt::format(", {:.0f} % parked", 100.0 * static_cast<double>(report.waiting) /
                                                 static_cast<double>(report.chosen));
  text += fmt::format("  by {}{}  ", to_string(report.by),
                      report.label.empty() ? "" : " " + printable(report.label));
  text += view.paused ? "paused" : "every " + to_text(view.every);
  if (!view.patterns.empty()) text += "  " + printable(view.patterns);
  return text;
}

std::string change_text(const TopRow& row, const TopView& view) {
  if (!view.base) return "";
  const auto known = view.base->find(row.key);
  const std::uint64_t before = known == view.base->end() ? 0 : known->second;
  return row.count == before ? ""
                             : fmt::format("{:+}", static_cast<std::int64_t>(row.count - before));
}

std::string row_text(const TopRow& row, const TopReport& report, const TopView& view) {
  const double share = report.chosen == 0 ? 0
                                          : 100.0 * static_cast<double>(row.count) /
                                                static_cast<double>(report.chosen);
  return fmt::format("{:>8} {:>8} {:>5.1f} {:>8}  {}", row.count, change_text(row, view), share,
                     row.longest_wait ? to_text(*row.longest_wait) : "", printable(row.key));
}

/// The lines of a text, the first left out.
std::vector<std::string> lines_below_first(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = text.find('\n');
  while (at != std::string::npos && at + 1 < text.size()) {
    const std::size_t end = text.find('\n', at + 1);
    lines.push_back(text.substr(at + 1, end - at - 1));
    at = end;
  }
  return lines;
}

std::vector<std::string> details(const TopReport& report, const TopView& view,
                                 const TopOptions& options) {
  if (!view.open || view.selected >= report.rows.size()) return {};
  TopOptions plain = options;
  plain.colour = false;
  auto lines = lines_below_first(
      render_top_row(report.rows[view.selected], view.selected + 1, report, plain));
  if (lines.size() > most_details) lines.resize(most_details);
  return lines;
}

void add_groups(Screen& screen, const TopReport& report, const TopView& view,
                const std::vector<std::string>& below) {
  const std::size_t room = screen.left() > below.size() ? screen.left() - below.size() : 1;
  const std::size_t first = view.selected < room ? 0 : view.selected - room + 1;
  for (std::size_t i = first; i < report.rows.size() && i < first + room; ++i)
    screen.line(row_text(report.rows[i], report, view), i == view.selected ? "1;7" : nullptr);
}

}  // namespace

std::string clipped(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t width = 0, last = 0;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text));
    if (width == columns) {
      out.resize(last);
      return columns == 0 ? "" : out + "…";
    }
    last = out.size();
    out += text.substr(0, length);
    text.remove_prefix(length);
    ++width;
  }
  return out;
}

std::map<std::string, std::uint64_t> counts_by_key(const TopReport& report) {
  std::map<std::string, std::uint64_t> counts;
  for (const TopRow& row : report.rows) counts[row.key] += row.count;
  return counts;
}

std::vector<std::string> render_top_screen(const TopReport& report, const TopView& view,
                                           const TopOptions& options) {
  Screen screen(view, options);
  screen.line(title(report, view), "1");
  if (!view.missed.empty()) screen.line("not seen: " + printable(view.missed), "33");
  if (view.help) {
    for (const std::string_view line : help) screen.line(line);
    return screen.finish(keys);
  }
  screen.line(fmt::format("{:>8} {:>8} {:>5} {:>8}  {}", "COUNT", "CHANGE", "%", "WAITS", "GROUP"));
  const auto below =
      view.rows > frame_lines ? details(report, view, options) : std::vector<std::string>();
  add_groups(screen, report, view, below);
  for (const std::string& line : below) screen.line(line);
  return screen.finish(keys);
}

}  // namespace weir::report
