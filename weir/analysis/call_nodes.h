#pragma once
// Internal to analysis: the nodes that the locations of a profile belong to.
#include <span>
#include <string>
#include <vector>

#include "weir/model/call_graph.h"
#include "weir/model/profile.h"

namespace weir::analysis {

/// Every location as a list of nodes, innermost inlined call first; lines that say the same are the
/// same node.
class CallNodes {
 public:
  /// `objects`: the binary is part of a node's name.
  CallNodes(const model::Profile& profile, bool objects);

  std::size_t size() const { return keys_.size(); }
  std::span<const std::uint32_t> of(std::uint32_t location) const {
    return std::span(nodes_).subspan(first_[location], first_[location + 1] - first_[location]);
  }
  model::CallNodeName name(std::uint32_t node) const;
  /// The node's function, or what else it has for a name.
  std::string_view function(std::uint32_t node) const { return profile_.text(keys_[node].name); }

 private:
  struct Key {
    StringId name = 0, file = 0;
    std::uint32_t mapping = model::no_index;
    std::int64_t line = 0, column = 0, start_line = 0;
    std::uint64_t address = 0;
    bool operator==(const Key&) const = default;
  };
  struct Hash;
  Key key_of(const model::ProfileLocation& location, const model::ProfileLine& line) const;
  void find_words();

  const model::Profile& profile_;
  bool objects_;
  std::vector<std::uint32_t> first_, nodes_;
  std::vector<Key> keys_;
  std::vector<StringId> words_;  ///< equal strings by the first of them, for names and files
  std::vector<std::uint32_t> objects_of_;  ///< mappings of the same file by the first of them
};

}  // namespace weir::analysis
