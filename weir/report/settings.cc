#include "weir/report/settings.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "weir/report/text_safety.h"
#include "weir/report/yaml_map.h"

namespace weir::report {

namespace {

using Key = YamlKey<GateSettings>;

constexpr Key ignore_keys[] = {
    {"top", [](const auto& node, auto key, auto& to) { to.ignore_top = list_of(node, key); }},
    {"any", [](const auto& node, auto key, auto& to) { to.ignore_any = list_of(node, key); }},
    {"created-by",
     [](const auto& node, auto key, auto& to) { to.ignore_created_by = list_of(node, key); }},
    {"current",
     [](const auto& node, auto key, auto& to) { to.ignore_current = truth_of(node, key); }},
};

void read_ignore(const YAML::Node& node, const char* key, GateSettings& settings) {
  if (node.IsNull()) return;
  if (!node.IsMap()) reject(node, fmt::format("\"{}\" must have keys below it", key));
  read_map(node, std::begin(ignore_keys), std::end(ignore_keys), settings);
}

constexpr Key keys[] = {
    {"off", [](const auto& node, auto key, auto& to) { to.off = truth_of(node, key); }},
    {"settle", [](const auto& node, auto key, auto& to) { to.settle = duration_of(node, key); }},
    {"stuck-after",
     [](const auto& node, auto key, auto& to) { to.stuck_after = duration_of(node, key); }},
    {"max-stop",
     [](const auto& node, auto key, auto& to) { to.max_stop = duration_of(node, key); }},
    {"ignore", read_ignore},
    {"baseline", [](const auto& node, auto key, auto& to) { to.baseline = text_of(node, key); }},
    {"strict", [](const auto& node, auto key, auto& to) { to.strict = truth_of(node, key); }},
    {"top", [](const auto& node, auto key, auto& to) { to.top = count_of(node, key); }},
    {"junit", [](const auto& node, auto key, auto& to) { to.junit = text_of(node, key); }},
    {"sarif", [](const auto& node, auto key, auto& to) { to.sarif = text_of(node, key); }},
    {"watch", [](const auto&, auto, auto&) {}},  // parse_watch_settings
    {"prof", [](const auto&, auto, auto&) {}},   // parse_health_settings
};

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr Unit units[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                          {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};

Result<bool> parse_switch(const char* name, const std::string& text) {
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const char* word : {"1", "true", "yes", "on"}) {
    if (lower == word) return true;
  }
  for (const char* word : {"0", "false", "no", "off"}) {
    if (lower == word) return false;
  }
  return fail(ErrorCode::usage,
              fmt::format("{} is \"{}\": weir expects on or off", name, printable(text)));
}

Result<void> add_duration(const char* name, const std::optional<std::string>& text,
                          std::optional<Nanos>& to) {
  if (!text || text->empty()) return {};
  auto duration = parse_duration(*text);
  if (!duration) return fail(std::move(duration.error()).with(std::string("reading ") + name));
  to = *duration;
  return {};
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  const auto wrong = [&](const char* why) {
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no duration ({}); write 1s, 250ms, 1m30s",
                                              printable(text.substr(0, 64)), why));
  };
  if (text == "0") return Nanos{0};
  if (text.empty()) return wrong("it is empty");
  std::string_view rest = text;
  double total = 0;
  while (!rest.empty()) {
    const std::size_t digits = rest.find_first_not_of("0123456789.");
    double number = 0;
    const auto [end, error] = std::from_chars(
        rest.data(), rest.data() + std::min(digits, rest.size()), number, std::chars_format::fixed);
    if (error != std::errc{} || end != rest.data() + std::min(digits, rest.size()))
      return wrong("a number is missing");
    if (digits == std::string_view::npos) return wrong("the unit is missing");
    rest.remove_prefix(digits);
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789."));
    const auto* unit = std::find_if(std::begin(units), std::end(units),
                                    [&](const Unit& one) { return one.name == name; });
    if (unit == std::end(units)) return wrong("the unit is unknown");
    total += number * unit->nanos;
    rest.remove_prefix(name.size());
  }
  if (total > 9.2e18) return wrong("it is too long");
  return Nanos{std::llround(total)};
}

Result<GateSettings> parse_settings(std::string_view yaml, const std::string& path) {
  GateSettings settings;
  WEIR_TRY_VOID(read_document(yaml, path, [&](const YAML::Node& document) {
    read_map(document, std::begin(keys), std::end(keys), settings);
  }));
  return settings;
}

Result<GateSettings> settings_from_environment(
    const std::function<std::optional<std::string>(const char*)>& find_env) {
  GateSettings settings;
  const auto find_switch = [&](const char* name) -> Result<std::optional<bool>> {
    const std::optional<std::string> text = find_env(name);
    if (!text || text->empty()) return std::optional<bool>();
    WEIR_TRY(const bool truth, parse_switch(name, *text));
    return std::optional<bool>(truth);
  };
  WEIR_TRY(const std::optional<bool> skip, find_switch("GOLEAK_SKIP"));
  if (skip) settings.off = *skip;
  WEIR_TRY(const std::optional<bool> weir, find_switch("WEIR"));
  if (weir) settings.off = !*weir;
  WEIR_TRY(settings.strict, find_switch("WEIR_STRICT"));
  WEIR_TRY_VOID(add_duration("GOLEAK_TIMEOUT", find_env("GOLEAK_TIMEOUT"), settings.settle));
  WEIR_TRY_VOID(add_duration("WEIR_SETTLE", find_env("WEIR_SETTLE"), settings.settle));
  WEIR_TRY_VOID(
      add_duration("WEIR_STUCK_AFTER", find_env("WEIR_STUCK_AFTER"), settings.stuck_after));
  WEIR_TRY_VOID(add_duration("WEIR_MAX_STOP", find_env("WEIR_MAX_STOP"), settings.max_stop));
  settings.baseline = find_env("WEIR_BASELINE");
  return settings;
}

model::GateOptions merge(const GateSettings& yaml, const GateSettings& environment,
                         const GateSettings& flags) {
  model::GateOptions options;
  const auto set = [](auto& to, const auto& from) {
    if (from) to = *from;
  };
  const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const GateSettings* layer : {&yaml, &environment, &flags}) {
    set(options.off, layer->off);
    set(options.settle, layer->settle);
    set(options.stuck_after, layer->stuck_after);
    set(options.max_stop, layer->max_stop);
    append(options.ignore.top, layer->ignore_top);
    append(options.ignore.any, layer->ignore_any);
    append(options.ignore.created_by, layer->ignore_created_by);
    set(options.ignore.current, layer->ignore_current);
    set(options.baseline, layer->baseline);
    set(options.update_baseline, layer->update_baseline);
    set(options.strict, layer->strict);
    set(options.top, layer->top);
    set(options.junit, layer->junit);
    set(options.sarif, layer->sarif);
    set(options.json, layer->json);
    set(options.verbose, layer->verbose);
  }
  return options;
}

}  // namespace weir::report
