#include "weir/analysis/call_nodes.h"

#include <filesystem>
#include <unordered_map>

namespace weir::analysis {

struct CallNodes::Hash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = (std::uint64_t{key.name} << 32) | key.file;
    for (const std::uint64_t part :
         {static_cast<std::uint64_t>(key.line), static_cast<std::uint64_t>(key.column), key.address,
          std::uint64_t{key.mapping}}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

CallNodes::CallNodes(const model::Profile& profile, bool objects)
    : profile_(profile), objects_(objects) {
  find_words();
  std::unordered_map<Key, std::uint32_t, Hash> known;
  known.reserve(profile.functions.size());
  const auto node_of = [&](const Key& key) {
    const auto [at, added] = known.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
    if (added) keys_.push_back(key);
    return at->second;
  };
  first_.reserve(profile.locations.size() + 1);
  nodes_.reserve(profile.lines.size());
  for (const model::ProfileLocation& location : profile.locations) {
    first_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    for (const model::ProfileLine& line : profile.lines_of(location))
      nodes_.push_back(node_of(key_of(location, line)));
    if (location.line_count == 0) nodes_.push_back(node_of(key_of(location, {})));
  }
  first_.push_back(static_cast<std::uint32_t>(nodes_.size()));
}

void CallNodes::find_words() {
  words_.resize(profile_.strings.size());
  std::unordered_map<std::string_view, StringId> first;
  first.reserve(profile_.functions.size() * 2);
  const auto find = [&](StringId id) {
    if (id != 0 && words_[id] == 0)
      words_[id] = first.try_emplace(profile_.text(id), id).first->second;
  };
  for (const model::ProfileFunction& function : profile_.functions) {
    find(function.name);
    find(function.file);
  }
  for (const auto& mapping : profile_.mappings) {
    std::uint32_t same = 0;
    while (profile_.mappings[same].file != mapping.file) ++same;
    objects_of_.push_back(mapping.file.empty() ? model::no_index : same);
  }
}

// nodeInfo, internal/graph/graph.go.
CallNodes::Key CallNodes::key_of(const model::ProfileLocation& location,
                                 const model::ProfileLine& line) const {
  Key key;
  key.address = location.address;
  const std::uint32_t object =
      location.mapping == model::no_index ? model::no_index : objects_of_[location.mapping];
  if (line.function == model::no_index) {
    key.mapping = object;
    return key;
  }
  const model::ProfileFunction& function = profile_.functions[line.function];
  key.name = words_[function.name];
  key.file = words_[function.file];
  key.line = line.line;
  key.column = line.column;
  if (objects_ || key.name == 0) {
    key.mapping = object;
    key.start_line = function.start_line;
  }
  return key;
}

model::CallNodeName CallNodes::name(std::uint32_t node) const {
  const Key& key = keys_[node];
  model::CallNodeName name;
  name.function = profile_.text(key.name);
  if (key.file != 0)
    name.file = std::filesystem::path(profile_.text(key.file)).lexically_normal().string();
  if (key.mapping != model::no_index) name.object = profile_.mappings[key.mapping].file;
  name.line = key.line;
  name.column = key.column;
  name.start_line = key.start_line;
  name.address = key.address;
  return name;
}

}  // namespace weir::analysis
