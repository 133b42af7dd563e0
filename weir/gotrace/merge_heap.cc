#include "weir/gotrace/merge_heap.h"

namespace weir::gotrace {

void MergeHeap::sift_down(std::size_t at) {
  const Entry moved = entries_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= entries_.size()) break;
    if (child + 1 < entries_.size() && entries_[child + 1] < entries_[child]) ++child;
    if (entries_[child] >= moved) break;
    entries_[at] = entries_[child];
    at = child;
  }
  entries_[at] = moved;
}

void MergeHeap::drop(std::size_t at) {
  entries_[at] = entries_.back();
  entries_.pop_back();
  if (at >= entries_.size()) return;
  sift_down(at);
  // The last entry may belong above the place it was put in.
  for (std::size_t parent = 0; at != 0 && entries_[at] < entries_[parent = (at - 1) / 2];
       at = parent)
    std::swap(entries_[at], entries_[parent]);
}

std::size_t MergeHeap::find_other(std::uint64_t& tries,
                                  const std::function<bool(std::uint32_t index)>& good) {
  const auto later = [this](std::size_t a, std::size_t b) { return entries_[a] > entries_[b]; };
  const auto add_children = [&](std::size_t at) {
    for (std::size_t child = 2 * at + 1; child <= 2 * at + 2 && child < entries_.size(); ++child) {
      frontier_.push_back(child);
      std::ranges::push_heap(frontier_, later);
    }
  };
  frontier_.clear();
  add_children(0);
  while (!frontier_.empty() && tries != 0) {
    std::ranges::pop_heap(frontier_, later);
    const std::size_t at = frontier_.back();
    frontier_.pop_back();
    --tries;
    if (good(entries_[at].index)) return at;
    add_children(at);
  }
  return 0;
}

}  // namespace weir::gotrace
