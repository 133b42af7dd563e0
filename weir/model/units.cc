#include "weir/model/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

namespace weir::model {
namespace {

struct Unit {
  std::string_view name;
  std::array<std::string_view, 3> aliases;  // lower case, in the singular; "" for fewer
  double factor;
};

constexpr Unit byte_units[] = {
    {"B", {"b", "byte"}, 1.0},
    {"kB", {"kb", "kbyte", "kilobyte"}, 1024.0},
    {"MB", {"mb", "mbyte", "megabyte"}, 1048576.0},
    {"GB", {"gb", "gbyte", "gigabyte"}, 1073741824.0},
    {"TB", {"tb", "tbyte", "terabyte"}, 1099511627776.0},
    {"PB", {"pb", "pbyte", "petabyte"}, 1125899906842624.0},
};
constexpr Unit time_units[] = {
    {"ns", {"ns", "nanosecond"}, 1.0},  {"us", {"μs", "us", "microsecond"}, 1e3},
    {"ms", {"ms", "millisecond"}, 1e6}, {"s", {"s", "sec", "second"}, 1e9},
    {"hrs", {"hour", "hr"}, 3600e9},
};

struct Kind {
  std::span<const Unit> units;
  std::string_view fallback;
  double fallback_factor;
};
constexpr Kind kinds[] = {{byte_units, "B", 1.0}, {time_units, "s", 1e9}};

const Unit* find_unit(const Kind& kind, std::string_view word) {
  if (word.empty()) return nullptr;
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower.size() > 2 && lower.ends_with('s')) lower.pop_back();
  for (const Unit& unit : kind.units)
    if (std::find(unit.aliases.begin(), unit.aliases.end(), lower) != unit.aliases.end())
      return &unit;
  return nullptr;
}

std::optional<Scaled> convert(const Kind& kind, std::int64_t value, std::string_view from,
                              std::string_view to) {
  const Unit* const source = find_unit(kind, from);
  if (source == nullptr) return std::nullopt;
  const double base = static_cast<double>(value) * source->factor;
  if (to == "minimum" || to == "auto") {
    const Unit* best = nullptr;
    for (const Unit& unit : kind.units)
      if ((best == nullptr || unit.factor >= best->factor) && base / unit.factor >= 1.0)
        best = &unit;
    if (best != nullptr) return Scaled{base / best->factor, best->name};
    return Scaled{base / kind.fallback_factor, kind.fallback};
  }
  const Unit* const target = find_unit(kind, to);
  if (target == nullptr) return Scaled{base / kind.fallback_factor, kind.fallback};
  return Scaled{base / target->factor, target->name};
}

}  // namespace

Scaled scale(std::int64_t value, std::string_view from, std::string_view to) {
  if (value < 0 && value != std::numeric_limits<std::int64_t>::min()) {
    Scaled scaled = scale(-value, from, to);
    scaled.first = -scaled.first;
    return scaled;
  }
  for (const Kind& kind : kinds)
    if (auto converted = convert(kind, value, from, to)) return *converted;
  const auto number = static_cast<double>(value);
  for (const std::string_view plain : {"count", "sample", "unit", "minimum", "auto"})
    if (to == plain) return {number, ""};
  return {number, std::string(to)};
}

std::string scaled_label(std::int64_t value, std::string_view from, std::string_view to) {
  const auto [number, unit] = scale(value, from, to);
  std::string text = fmt::format("{:.2f}", number);
  if (text.ends_with(".00")) text.resize(text.size() - 3);
  if (text == "0" || text == "-0") return "0";
  return text + unit;
}

std::string percentage(std::int64_t value, std::int64_t total) {
  double ratio = 0;
  if (total != 0) ratio = std::abs(static_cast<double>(value) / static_cast<double>(total)) * 100;
  if (ratio >= 99.95 && ratio <= 100.05) return "  100%";
  if (ratio >= 1.0) return fmt::format("{:5.2f}%", ratio);
  return fmt::format("{:>5}%", shortest(ratio, 2));
}

bool units_convert(std::string_view a, std::string_view b) {
  if (a == b) return true;
  return std::any_of(std::begin(kinds), std::end(kinds), [&](const Kind& kind) {
    return find_unit(kind, a) != nullptr && find_unit(kind, b) != nullptr;
  });
}

std::string shortest(double number, int precision) {
  return fmt::format("{:.{}g}", number, precision);
}

}  // namespace weir::model
