// Values, times and headings of `weir prof`.
#include <fmt/format.h>

#include <ctime>

#include "weir/model/units.h"
#include "weir/report/prof_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::magnitude;

namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string local_time(std::int64_t nanos) {
  const std::time_t seconds = static_cast<std::time_t>(nanos / 1'000'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return "unknown";
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &parts);
  return {text, size};
}

}  // namespace

std::int64_t ValueWords::scaled(std::int64_t value) const {
  return ratio_ > 0 && ratio_ != 1 ? model::rounded_down(static_cast<double>(value) * ratio_)
                                   : value;
}
std::string ValueWords::operator()(std::int64_t value) const {
  return model::scaled_label(scaled(value), from_, to_);
}
double ValueWords::number(std::int64_t value) const {
  return model::scale(scaled(value), from_, to_).first;
}

// Report.selectOutputUnit.
void ValueWords::fit(const model::CallGraph& graph, bool whole) {
  if (to_ != "minimum" || graph.nodes.empty()) return;
  std::int64_t least = 0;
  for (const model::CallNode& node : graph.nodes) {
    std::int64_t value = magnitude(node.flat_value());
    if (value == 0) value = magnitude(node.cum_value());
    if (value > 0 && (least == 0 || value < least)) least = value;
  }
  std::int64_t most = graph.total;
  if (least == 0) least = most;
  least = scaled(least);
  most = scaled(most);
  const std::string least_unit = model::scale(least, from_, "minimum").second;
  const std::string most_unit = model::scale(most, from_, "minimum").second;
  to_ = least_unit;
  const double hundredfold = static_cast<double>(least) * 100;
  if (least_unit != most_unit && hundredfold < static_cast<double>(most) && !whole)
    to_ = model::scale(model::rounded_down(hundredfold), from_, "minimum").second;
  if (to_.empty()) to_ = from_;
}

// report.ProfileLabels.
std::vector<std::string> heading_lines(const model::Profile& profile, const ProfHeading& heading,
                                       const ValueWords& words) {
  std::vector<std::string> lines;
  if (!profile.mappings.empty()) {
    const model::ProfileMapping& first = profile.mappings.front();
    if (!first.file.empty()) lines.push_back("File: " + printable(base_name(first.file)));
    if (!first.build_id.empty()) lines.push_back("Build ID: " + printable(first.build_id));
  }
  for (const std::string& comment : profile.comments)
    if (!comment.starts_with('#')) lines.push_back(printable(comment));
  if (!heading.type.empty()) lines.push_back("Type: " + printable(heading.type));
  if (!profile.doc_url.empty()) lines.push_back("Doc: " + printable(profile.doc_url));
  if (profile.time_nanos != 0) lines.push_back("Time: " + local_time(profile.time_nanos));
  if (profile.duration_nanos != 0) {
    const auto [nanos, unit] = model::scale(heading.total, heading.unit, "nanoseconds");
    std::string ratio;
    if (unit == "ns" && nanos != 0)
      ratio = fmt::format("({})",
                          model::percentage(model::rounded_down(nanos), profile.duration_nanos));
    lines.push_back(fmt::format("Duration: {}, Total samples = {} {}",
                                model::scaled_label(profile.duration_nanos, "nanoseconds", "auto"),
                                words(heading.total), ratio));
  }
  return lines;
}

// time.Duration.String.
std::string go_duration(std::int64_t nanos) {
  if (nanos == 0) return "0s";
  const bool negative = nanos < 0;
  auto left = negative ? 0u - static_cast<std::uint64_t>(nanos) : static_cast<std::uint64_t>(nanos);
  const auto with_fraction = [](std::uint64_t value, std::uint64_t of, std::string_view unit) {
    std::string text = fmt::format("{}", value / of);
    if (value % of != 0) {
      std::string digits = fmt::format("{}", of + value % of).substr(1);
      digits.erase(digits.find_last_not_of('0') + 1);
      text += "." + digits;
    }
    return text.append(unit);
  };
  std::string text;
  if (left < 1000) {
    text = fmt::format("{}ns", left);
  } else if (left < 1'000'000) {
    text = with_fraction(left, 1000, "µs");
  } else if (left < 1'000'000'000) {
    text = with_fraction(left, 1'000'000, "ms");
  } else {
    constexpr std::uint64_t second = 1'000'000'000;
    const std::uint64_t minutes = left / (60 * second);
    if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
    if (minutes > 0) text += fmt::format("{}m", minutes % 60);
    text += with_fraction(left % (60 * second), second, "s");
  }
  return negative ? "-" + text : text;
}

}  // namespace weir::report
