#include "weir/gortime/reach_marker.h"

#include <algorithm>
#include <cstring>

namespace weir::gortime {

void ReachMarker::make_opaque(Address at) {
  const FoundObject object = heap_.find(at.value);
  if (object.span) set(opaque_, object.index());
}

/// True if it is an object seen for the first time.
bool ReachMarker::visit(std::uint64_t word, std::uint32_t parent, Counts counts) {
  const FoundObject object = heap_.find(word);
  if (!object.span) return false;
  const ObjectIndex index = object.index();
  if (counts == Counts::for_all && test(opaque_, index)) set(counted_, index);
  if (test(marks_, index)) return false;
  set(marks_, index);
  parents_[index] = parent;
  ++marked_;
  if (object.span->scan && !test(opaque_, index)) pending_.push_back(object);
  return true;
}

void ReachMarker::mark(std::uint64_t word, const ReachRoot& root) {
  mark(word, root, Counts::for_all);
}

void ReachMarker::mark(std::uint64_t word, const ReachRoot& root, Counts counts) {
  if ((without_ >> static_cast<unsigned>(root.kind) & 1) != 0) return;
  if (visit(word, is_root | static_cast<std::uint32_t>(roots_.size()), counts))
    roots_.push_back(root);
}

void ReachMarker::mark_words(std::span<const std::uint64_t> words, Address at, ReachRoot root,
                             Counts counts) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    root.at = at ? at + 8 * i : at;
    mark(words[i], root, counts);
  }
}

void ReachMarker::drain() {
  while (!pending_.empty()) {
    const FoundObject object = pending_.back();
    pending_.pop_back();
    const std::byte* content = object.span->content + object.slot * object.span->element;
    const ObjectIndex index = object.index();
    for (std::uint64_t at = 0; at + 8 <= object.span->element; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, content + at, sizeof word);
      visit(word, index, Counts::for_all);
    }
  }
}

std::vector<ReachObject> ReachMarker::path_to(const FoundObject& object, ReachRoot& root) const {
  std::vector<ReachObject> path;
  ObjectIndex index = object.index();
  while (true) {
    const FoundObject at = heap_.object(index);
    path.push_back({at.start(), at.span->element});
    const std::uint32_t parent = parents_[index];
    if ((parent & is_root) != 0) {
      root = roots_[parent & ~is_root];
      break;
    }
    index = parent;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace weir::gortime
