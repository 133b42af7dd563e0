#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weir/report/trace_more.h"

namespace weir::report {

using model::TraceHeat;

namespace {

struct Extent {
  std::size_t lowest = TraceHeat::rows, highest = 0;
  std::uint64_t most = 0;
};

Extent extent_of(const TraceHeat& heat) {
  Extent extent;
  for (const auto& column : heat.columns)
    for (std::size_t row = 0; row < TraceHeat::rows; ++row) {
      if (column[row] == 0) continue;
      extent.lowest = std::min(extent.lowest, row);
      extent.highest = std::max(extent.highest, row);
      extent.most = std::max(extent.most, column[row]);
    }
  return extent;
}

/// 0 to 1 on a logarithmic scale: one wait among a million must be seen.
double shade(std::uint64_t count, std::uint64_t most) {
  if (count == 0) return 0;
  return (1 + std::log2(static_cast<double>(count))) / (1 + std::log2(static_cast<double>(most)));
}

/// When a column begins; that of the number of columns is the end.
Nanos start_of(const TraceHeat& heat, std::size_t column) {
  return Nanos{heat.begin.value + heat.column_width.value * static_cast<std::int64_t>(column)};
}

std::string begin_text(const TraceHeat& heat) {
  return heat.begin.value == 0 ? "0" : to_text(heat.begin);
}

std::string end_text(const TraceHeat& heat) {
  return to_text(start_of(heat, heat.columns.size()));
}

Nanos low_of(std::size_t row) {
  return Nanos{row == 0 ? 0 : std::int64_t{1} << row};
}

}  // namespace

std::string render_heat(const std::string& name, const TraceHeat& heat, bool colour) {
  constexpr const char* shades[] = {" ", "·", "░", "▒", "▓", "█"};
  constexpr int colours[] = {0, 238, 25, 37, 178, 196};
  const Extent extent = extent_of(heat);
  if (extent.most == 0) return fmt::format("{}: no waits\n", name);
  std::string text = fmt::format("{}: waits over time, {} a column, at most {} in a cell\n", name,
                                 to_text(heat.column_width), extent.most);
  for (std::size_t row = extent.highest + 1; row-- > extent.lowest;) {
    std::string label = "≥ " + to_text(low_of(row));
    const auto shown = static_cast<std::size_t>(std::ranges::count_if(
        label, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    label.insert(0, shown < 10 ? 10 - shown : 0, ' ');
    text += label + " │";
    for (const auto& column : heat.columns) {
      const auto level =
          static_cast<std::size_t>(std::ceil(shade(column[row], extent.most) * 5 - 1e-9));
      text += colour && level > 0 ? fmt::format("\x1b[38;5;{}m█\x1b[0m", colours[level])
                                  : std::string(shades[level]);
    }
    text += '\n';
  }
  const std::string begin = begin_text(heat), end = end_text(heat);
  text += fmt::format("{:>10} └", "") + begin;
  if (heat.columns.size() > begin.size() + end.size() + 1)
    text += std::string(heat.columns.size() - begin.size() - end.size(), ' ') + end;
  return text + '\n';
}

std::string render_heat_svg(const std::string& name, const TraceHeat& heat) {
  constexpr int cell = 8, line = 12, left = 90, top = 30;
  const Extent extent = extent_of(heat);
  const std::size_t rows = extent.most == 0 ? 1 : extent.highest - extent.lowest + 1;
  const auto width = left + cell * static_cast<int>(heat.columns.size()) + 20;
  const auto height = top + line * static_cast<int>(rows) + 30;
  std::string escaped;
  for (const char c : name) {
    if (c == '<' || c == '&' || static_cast<unsigned char>(c) < 0x20) continue;
    escaped += c;
  }
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"monospace\" font-size=\"10\">\n<rect width=\"{0}\" height=\"{1}\" "
      "fill=\"#fff\"/>\n<text x=\"10\" y=\"18\" font-size=\"13\">{2}: waits over time, {3} a "
      "column</text>\n",
      width, height, escaped, to_text(heat.column_width));
  for (std::size_t row = extent.highest + 1; extent.most != 0 && row-- > extent.lowest;) {
    const int y = top + line * static_cast<int>(extent.highest - row);
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">≥ {}</text>\n", left - 6,
                       y + line - 3, to_text(low_of(row)));
    for (std::size_t column = 0; column < heat.columns.size(); ++column) {
      const std::uint64_t count = heat.columns[column][row];
      if (count == 0) continue;
      const double share = shade(count, extent.most);
      svg += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"hsl({:.0f},85%,{:.0f}%)\">"
          "<title>{} waits at {}</title></rect>\n",
          left + cell * static_cast<int>(column), y, cell, line, 240 - 240 * share, 80 - 30 * share,
          count, to_text(start_of(heat, column)));
    }
  }
  svg += fmt::format(
      "<text x=\"{}\" y=\"{}\">{}</text>\n<text x=\"{}\" y=\"{}\" "
      "text-anchor=\"end\">{}</text>\n</svg>\n",
      left, height - 12, begin_text(heat), width - 20, height - 12, end_text(heat));
  return svg;
}

}  // namespace weir::report
