#include "weir/report/flame_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weir/model/profile.h"
#include "weir/model/units.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Flame;
using model::FlameBox;

namespace {

constexpr std::string_view page_style =
#include "weir/report/page_style.inc"
    ;
constexpr std::string_view page_head =
#include "weir/report/flame_html.inc"
    ;
constexpr std::string_view page_script =
#include "weir/report/flame_script.inc"
    ;

template <class Get>
void write_column(JsonWriter& json, const char* name, const Flame& flame, Get get) {
  json.key(name);
  json.begin_array();
  for (const FlameBox& box : flame.boxes) json.value(get(box));
  json.end_array();
}

std::string data_of(const Flame& flame) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("title", flame.title);
  json.member("type", flame.type);
  json.member("unit", flame.unit);
  json.member("compares", flame.compares);
  json.key("names");
  json.begin_array();
  for (const std::string& name : flame.names) json.value(name);
  json.end_array();
  write_column(json, "depth", flame, [](const FlameBox& box) { return std::uint64_t{box.depth}; });
  write_column(json, "name", flame, [](const FlameBox& box) { return std::uint64_t{box.name}; });
  write_column(json, "value", flame, [](const FlameBox& box) { return box.value; });
  write_column(json, "base", flame, [](const FlameBox& box) { return box.base; });
  json.key("labels");
  json.begin_array();
  for (const model::FlameLabel& label : flame.labels) {
    json.begin_object();
    json.member("text", label.text);
    json.key("parts");
    json.begin_array();
    for (const auto& [box, value] : label.parts) {
      json.value(std::uint64_t{box});
      json.value(value);
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.key("remarks");
  json.begin_array();
  for (const std::string& remark : flame_remarks(flame)) json.value(remark);
  json.end_array();
  json.end_object();
  return script_safe(out);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string colour_of(const Flame& flame, const FlameBox& box) {
  const FlameBox& root = flame.boxes.front();
  if (flame.compares) {
    const double value =
        root.value == 0 ? 0 : static_cast<double>(box.value) / static_cast<double>(root.value);
    const double base =
        root.base == 0 ? 0 : static_cast<double>(box.base) / static_cast<double>(root.base);
    const double most = std::max(value, base);
    const double change = most == 0 ? 0 : (value - base) / most;
    if (std::abs(change) < 0.005) return "hsl(0,0%,90%)";
    return change > 0 ? fmt::format("hsl(4,85%,{:.0f}%)", 92 - 32 * change)
                      : fmt::format("hsl(215,75%,{:.0f}%)", 92 + 32 * change);
  }
  std::uint32_t hash = 7;
  for (const char c : flame.names[box.name].substr(0, flame.names[box.name].find('.')))
    hash = hash * 31 + static_cast<unsigned char>(c);
  return fmt::format("hsl({},{}%,{}%)", 20 + hash % 45, 65 + hash % 20, 66 + hash % 12);
}

std::string share_of(std::int64_t value, std::int64_t total) {
  std::string text = model::percentage(value, total);
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

std::string tooltip(const Flame& flame, const FlameBox& box) {
  const FlameBox& root = flame.boxes.front();
  std::string text = fmt::format("{}: {} ({})", flame.names[box.name],
                                 model::scaled_label(box.value, flame.unit, "auto"),
                                 share_of(box.value, root.value));
  if (flame.compares)
    text += fmt::format("; base {} ({})", model::scaled_label(box.base, flame.unit, "auto"),
                        share_of(box.base, root.base));
  return text;
}

}  // namespace

std::vector<std::string> flame_remarks(const Flame& flame) {
  std::vector<std::string> remarks;
  if (flame.folded > 0)
    remarks.push_back(fmt::format(
        "Folded into their callers: {} stacks whose next box is narrower than {:.3f} % of the "
        "whole, together {}.",
        flame.folded, flame.least_share * 100,
        model::scaled_label(flame.folded_value, flame.unit, "auto")));
  if (flame.labels_left_out > 0)
    remarks.push_back(
        fmt::format("{} values of labels have no filter here.", flame.labels_left_out));
  if (flame.compares)
    remarks.emplace_back(
        "A box is as wide as the profile and its base together; red is more of its profile than of "
        "the base, blue is less.");
  return remarks;
}

std::string render_flame_html(const Flame& flame) {
  return fmt::format("{}{}{}{}", page_style, page_head, data_of(flame), page_script);
}

std::string render_flame_svg(const Flame& flame) {
  constexpr double full = 1200;
  constexpr int row = 17, margin = 24;
  std::uint32_t deepest = 0;
  for (const FlameBox& box : flame.boxes) deepest = std::max(deepest, box.depth);
  const int height = (static_cast<int>(deepest) + 1) * row + 2 * margin;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {}\" "
      "font-family=\"monospace\" "
      "font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"4\" y=\"16\">{}</text>\n",
      full, height, escaped(fmt::format("{} {}", flame.title, flame.type)));
  const double total =
      flame.boxes.empty()
          ? 1
          : static_cast<double>(std::max<std::int64_t>(1, Flame::width(flame.boxes[0])));
  std::vector<double> next;  // where the next child of each open box begins
  for (const FlameBox& box : flame.boxes) {
    next.resize(box.depth + 1);
    const double left = box.depth == 0 ? 0 : next[box.depth - 1];
    const double width = static_cast<double>(Flame::width(box)) / total * full;
    if (box.depth > 0) next[box.depth - 1] += width;
    next[box.depth] = left;
    const int top = height - margin - (static_cast<int>(box.depth) + 1) * row;
    out += fmt::format(
        "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" "
        "fill=\"{}\"/>",
        escaped(tooltip(flame, box)), left, top, std::max(width - 0.5, 0.3), row - 1,
        colour_of(flame, box));
    if (const auto letters = static_cast<std::size_t>(width / 7); letters > 3) {
      std::string name = printable(flame.names[box.name]);
      if (name.size() > letters) name = name.substr(0, letters - 2) + "..";
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>", left + 2, top + 12,
                         escaped(printable(name)));
    }
    out += "</g>\n";
  }
  std::string remarks = fmt::format("{}", fmt::join(flame_remarks(flame), " "));
  out += fmt::format("<text x=\"4\" y=\"{}\" fill=\"#666\">{}</text>\n</svg>\n", height - 8,
                     escaped(remarks));
  return out;
}

}  // namespace weir::report
