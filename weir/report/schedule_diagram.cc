#include "weir/report/schedule_diagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

using model::CodePlace;
using model::EndGoroutine;
using model::Schedule;
using model::ScheduleEnd;
using model::ScheduleStep;

constexpr int lane_width = 110;
constexpr int row_height = 22;
constexpr int margin = 24;
constexpr int header_height = 96;
constexpr int letter_width = 7;  // of 12 px monospace, rounded up
constexpr std::size_t longest_label = 150;
// Told apart also by people who see red and green alike (Okabe, Ito).
constexpr std::string_view lane_colours[] = {"#0072b2", "#009e73", "#cc79a7", "#56b4e9",
                                             "#8c6d1f", "#5b5b5b", "#6a3d9a"};
constexpr std::string_view deviation_colour = "#d55e00";

constexpr std::string_view style =
    "<style>text{font:12px ui-monospace,monospace;fill:#1c1c1c}.h{font-weight:bold}.s{fill:#6b6b6b}"
    ".lane{stroke-width:2}.x{fill:#d55e00;font-weight:bold}</style>\n"
    "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
    "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" "
    "fill=\"context-stroke\"/></marker>"
    "</defs>\n";

std::string escape(std::string_view raw) {
  std::string out;
  for (const char c : printable(raw)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

/// Cut between characters, not inside one.
std::string shortened(const std::string& text) {
  if (text.size() <= longest_label) return text;
  std::size_t at = longest_label;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return text.substr(0, at) + "…";
}

class Diagram {
 public:
  Diagram(const Schedule& schedule, const std::optional<ScheduleEnd>& end,
          const DiagramOptions& options)
      : schedule_(schedule), end_(end), options_(options) {
    const std::size_t all = schedule.steps.size();
    first_ = options.points == 0 || options.points >= all ? 0 : all - options.points;
    for (std::size_t i = first_; i < all; ++i) {
      add_lane(schedule.steps[i].goroutine);
      add_lane(schedule.steps[i].runs);
    }
    if (end)
      for (const EndGoroutine& one : end->goroutines) add_lane(one.id);
  }

  std::string draw() {
    for (std::size_t i = first_; i < schedule_.steps.size(); ++i) add_step(i);
    const int bottom = y_ + row_height / 2;
    std::string lanes;
    for (const auto& [id, lane] : lanes_) lanes += lane_line(id, lane, bottom);
    y_ += row_height;
    add_end();
    const int height = y_ + margin;
    const int width = std::max(label_x() + static_cast<int>(longest_) * letter_width + margin, 640);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\">\n{2}<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{3}{4}{5}</svg>\n",
        width, height, style, header(), lanes, body_);
  }

 private:
  void add_lane(Goid id) {
    if (id.value != 0) lanes_.emplace(id, 0);
    int next = 0;
    for (auto& [each, lane] : lanes_) lane = next++;
  }
  int lane_x(Goid id) const {
    const auto found = lanes_.find(id);
    return margin + lane_width / 2 + (found == lanes_.end() ? 0 : found->second) * lane_width;
  }
  int label_x() const { return margin + static_cast<int>(lanes_.size()) * lane_width + margin; }
  static std::string_view colour_of(int lane) {
    return lane_colours[static_cast<std::size_t>(lane) % std::size(lane_colours)];
  }

  void text(int x, int y, std::string_view kind, const std::string& raw) {
    const std::string shown = shortened(raw);
    if (x >= label_x()) longest_ = std::max(longest_, shown.size());
    body_ +=
        fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", x, y, kind, escape(shown));
  }
  void arrow(int from, int to, int y, std::string_view colour) {
    if (from == to) return;
    body_ += fmt::format(
        "<path d=\"M{} {}H{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" "
        "marker-end=\"url(#a)\"/>\n",
        from, y, to < from ? to + 5 : to - 5, colour);
  }

  std::string header() const {
    std::string out = fmt::format(
        "<text x=\"{}\" y=\"28\" class=\"h\">{}</text>\n", margin,
        escape(shortened(schedule_.test + ": " + schedule_.outcome + ": " + schedule_.message)));
    out += fmt::format(
        "<text x=\"{}\" y=\"48\" class=\"s\">orange: what Go would not have done by itself; #n is "
        "one "
        "lock, channel …{}</text>\n",
        margin,
        first_ == 0 ? "" : fmt::format("; {} before are not shown", counted(first_, "point")));
    for (const auto& [id, lane] : lanes_)
      out += fmt::format(
          "<text x=\"{}\" y=\"{}\" class=\"h\" text-anchor=\"middle\" style=\"fill:{}\">goroutine "
          "{}"
          "</text>\n",
          lane_x(id), header_height - 20, colour_of(lane), id.value);
    return out;
  }

  std::string lane_line(Goid id, int lane, int bottom) const {
    return fmt::format(
        "<path d=\"M{} {}V{}\" class=\"lane\" stroke=\"{}\" stroke-opacity=\"0.45\"/>\n",
        lane_x(id), header_height - 10, bottom, colour_of(lane));
  }

  std::string place_text(const CodePlace& place) const {
    if (place.file.empty()) return {};
    std::string text = fmt::format("  {}:{}", below(place.file, options_.root), place.line);
    const std::string source = options_.source ? options_.source(place) : "";
    return source.empty() ? text : text + "  " + source;
  }

  void add_step(std::size_t index) {
    const ScheduleStep& step = schedule_.steps[index];
    const bool deviates = step.choice != 0;
    const bool resume = step.operation == "resume";
    const int y = y_;
    const std::string_view colour =
        deviates ? deviation_colour
                 : colour_of(lanes_.contains(step.goroutine) ? lanes_.at(step.goroutine) : 0);
    // Who went on before this point, and who does after it.
    if (last_.value != 0 && resume && !deviates) arrow(lane_x(last_), lane_x(step.runs), y, colour);
    if (deviates) arrow(lane_x(step.goroutine), lane_x(step.runs), y, deviation_colour);
    body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{}\"/>\n",
                         lane_x(resume && !deviates ? step.runs : step.goroutine), y, colour);
    std::string what = step.operation;
    if (step.object != 0) what += fmt::format(" #{}", step.object);
    what += place_text(step.where);
    if (resume && deviates)
      what = fmt::format("goroutine {} would go on; goroutine {} does", step.goroutine.value,
                         step.runs.value);
    else if (resume)
      what = fmt::format("goroutine {} goes on", step.runs.value);
    else if (deviates)
      what = fmt::format("goroutine {} goes on instead, before {}", step.runs.value, what);
    text(label_x(), y + 4,
         deviates ? "x"
         : resume ? "s"
                  : "",
         fmt::format("{:>4}  {}", index + 1, what));
    last_ = step.runs.value != 0 ? step.runs : step.goroutine;
    y_ += row_height;
  }

  void add_end() {
    text(margin, y_ + 4, "h", "at the end: " + schedule_.outcome);
    y_ += row_height;
    if (!end_) return;
    for (const model::RaceAccess& access : end_->race) {
      const model::CodePlace place = access.stack.empty() ? model::CodePlace{} : access.stack[0];
      text(label_x(), y_ + 4, "x", access.what + " by " + access.by + place_text(place));
      y_ += row_height;
    }
    const auto& cycle = end_->cycle;
    for (const EndGoroutine& one : end_->goroutines) {
      const bool circular = std::find(cycle.begin(), cycle.end(), one.id) != cycle.end();
      body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n",
                           lane_x(one.id) - 6, y_ - 6,
                           circular ? deviation_colour : colour_of(lanes_.at(one.id)));
      std::string what = fmt::format("goroutine {} waits: {}", one.id.value, one.waits);
      for (const Goid holder : one.waits_for) {
        what += fmt::format(", for goroutine {}", holder.value);
        if (lanes_.contains(holder))
          arrow(lane_x(one.id), lane_x(holder), y_, circular ? deviation_colour : "#6b6b6b");
      }
      text(label_x(), y_ + 4, circular ? "x" : "", what + place_text(one.where));
      y_ += row_height;
    }
    if (cycle.empty()) return;
    std::string words = "cycle:";
    for (const Goid id : cycle) words += fmt::format(" goroutine {} waits for", id.value);
    text(label_x(), y_ + 4, "x", fmt::format("{} goroutine {}", words, cycle.front().value));
    y_ += row_height;
  }

  const Schedule& schedule_;
  const std::optional<ScheduleEnd>& end_;
  const DiagramOptions& options_;
  std::size_t first_ = 0;  ///< point shown
  std::map<Goid, int> lanes_;
  std::string body_;
  std::size_t longest_ = 0;  ///< label, in bytes
  int y_ = header_height + row_height / 2;
  Goid last_;  ///< who went on after the point before
};

}  // namespace

std::string render_schedule_svg(const Schedule& schedule, const std::optional<ScheduleEnd>& end,
                                const DiagramOptions& options) {
  return Diagram(schedule, end, options).draw();
}

std::string render_schedule_html(const Schedule& schedule, const std::optional<ScheduleEnd>& end,
                                 const DiagramOptions& options) {
  std::string facts;
  for (const std::string& fact :
       {schedule.package, schedule.go_version,
        fmt::format("found by {}, seed {}", schedule.strategy, schedule.seed),
        "weir " + schedule.weir_version})
    if (!fact.empty()) facts += (facts.empty() ? "" : "; ") + fact;
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}: {1}</title>\n"
      "<style>body{{margin:0;font:14px system-ui,sans-serif;background:#fff;color:#1c1c1c}}"
      "main{{overflow-x:auto}}p{{margin:12px 24px;color:#6b6b6b}}</style></head>\n<body><main>\n"
      "{2}</main>\n<p>{3}</p>\n</body></html>\n",
      escape(schedule.test), escape(schedule.outcome), render_schedule_svg(schedule, end, options),
      escape(facts));
}

}  // namespace weir::report
