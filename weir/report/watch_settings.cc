#include "weir/report/watch_settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "weir/report/yaml_map.h"

namespace weir::report {

namespace {

/// YAML itself reads `off` as a word.
bool is_off(const YAML::Node& node) {
  return node.IsScalar() && (node.Scalar() == "off" || node.Scalar() == "false");
}

double number_of(const YAML::Node& node, const char* key, std::string_view suffix = {}) {
  std::string text = text_of(node, key);
  if (!suffix.empty() && text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  while (text.ends_with(' ')) text.pop_back();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 ||
      !std::isfinite(number))
    reject(node, fmt::format("\"{}\" must be a number of at least 0{}", key,
                             suffix.empty() ? "" : ", in per cent, or off"));
  return number;
}

std::optional<double> percent_of(const YAML::Node& node, const char* key) {
  if (is_off(node)) return std::nullopt;
  return number_of(node, key, "%");
}

std::uint64_t positive_of(const YAML::Node& node, const char* key, int least) {
  const int number = count_of(node, key);
  if (number < least) reject(node, fmt::format("\"{}\" must be at least {}", key, least));
  return static_cast<std::uint64_t>(number);
}

template <class Number>
std::optional<Number> switchable(const YAML::Node& node, const char* key, int least) {
  if (is_off(node)) return std::nullopt;
  return static_cast<Number>(positive_of(node, key, least));
}

using Key = YamlKey<WatchSettings>;

constexpr Key watch_keys[] = {
    {"every", [](const auto& node, auto key, auto& to) { to.every = duration_of(node, key); }},
    {"for", [](const auto& node, auto key, auto& to) { to.lasts = duration_of(node, key); }},
    {"db", [](const auto& node, auto key, auto& to) { to.database = text_of(node, key); }},
    {"webhook", [](const auto& node, auto key, auto& to) { to.webhook = text_of(node, key); }},
    {"otlp", [](const auto& node, auto key, auto& to) { to.otlp = text_of(node, key); }},
    {"metrics", [](const auto& node, auto key, auto& to) { to.metrics = text_of(node, key); }},
    {"baseline",
     [](const auto& node, auto key, auto& to) { to.rules.baseline = positive_of(node, key, 1); }},
    {"noise", [](const auto& node, auto key, auto& to) { to.rules.noise = number_of(node, key); }},
    {"own-packages",
     [](const auto& node, auto key, auto& to) { to.rules.own_packages = list_of(node, key); }},
    {"parked-growth",
     [](const auto& node, auto key, auto& to) { to.rules.parked_growth = percent_of(node, key); }},
    {"http-conns",
     [](const auto& node, auto key, auto& to) { to.rules.connections = percent_of(node, key); }},
    {"own-growth", [](const auto& node, auto key,
                      auto& to) { to.rules.own_growth = switchable<std::size_t>(node, key, 1); }},
    {"one-line", [](const auto& node, auto key,
                    auto& to) { to.rules.one_line = switchable<std::uint64_t>(node, key, 1); }},
    {"monotonic", [](const auto& node, auto key,
                     auto& to) { to.rules.monotonic = switchable<std::size_t>(node, key, 2); }},
};

}  // namespace

Result<WatchSettings> parse_watch_settings(std::string_view yaml, const std::string& path) {
  WatchSettings settings;
  WEIR_TRY_VOID(read_document(yaml, path, [&](const YAML::Node& document) {
    for (const auto& member : document) {
      if (!member.first.IsScalar() || member.first.Scalar() != "watch") continue;
      if (member.second.IsNull()) continue;
      if (!member.second.IsMap()) reject(member.second, "\"watch\" must have keys below it");
      read_map(member.second, std::begin(watch_keys), std::end(watch_keys), settings);
    }
  }));
  return settings;
}

}  // namespace weir::report
