#pragma once
// Internal to report: taking a YAML document apart into settings, with one clear error.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::report {

/// Parses the one document of `yaml` and hands it to `read`, unless it is empty. Errors (usage):
/// the place, and what is wrong; also what `read` and the functions below reject.
Result<void> read_document(std::string_view yaml, const std::string& path,
                           const std::function<void(const YAML::Node&)>& read);

/// Throws YAML::RepresentationException with the place and reason; read_document catches it.
[[noreturn]] void reject(const YAML::Node& node, const std::string& what);
/// Names the nearest of the known keys.
[[noreturn]] void reject_key(const YAML::Node& node, const std::string& key,
                             const std::vector<std::string_view>& known);

// The value of a key, or a rejection.
std::string text_of(const YAML::Node& node, const char* key);
bool truth_of(const YAML::Node& node, const char* key);
Nanos duration_of(const YAML::Node& node, const char* key);
int count_of(const YAML::Node& node, const char* key);
std::vector<std::string> list_of(const YAML::Node& node, const char* key);

template <class Settings>
struct YamlKey {
  const char* name;
  void (*read)(const YAML::Node& node, const char* key, Settings& settings);
};

template <class Settings>
void read_map(const YAML::Node& map, const YamlKey<Settings>* begin, const YamlKey<Settings>* end,
              Settings& settings) {
  if (!map.IsMap()) reject(map, "there must be keys here");
  std::set<std::string> seen;
  for (const auto& member : map) {
    if (!member.first.IsScalar()) reject(member.first, "a key must be a word");
    const std::string& name = member.first.Scalar();
    const auto* key = std::find_if(begin, end, [&](const auto& one) { return name == one.name; });
    if (key == end) {
      std::vector<std::string_view> known;
      std::transform(begin, end, std::back_inserter(known),
                     [](const auto& one) { return std::string_view(one.name); });
      reject_key(member.first, name, known);
    }
    if (!seen.insert(name).second) reject(member.first, "\"" + name + "\" is there twice");
    key->read(member.second, key->name, settings);
  }
}

}  // namespace weir::report
