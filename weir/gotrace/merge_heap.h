#pragma once
// MergeHeap: threads (or Ps) by the time of their next event, and a bounded search for one whose
// event can come before that of the earliest.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace weir::gotrace {

class MergeHeap {
 public:
  struct Entry {
    std::uint64_t time = 0;
    std::uint32_t index = 0;
    auto operator<=>(const Entry&) const = default;
  };

  bool empty() const { return entries_.empty(); }
  void clear() { entries_.clear(); }
  void add(const Entry& entry) {
    entries_.push_back(entry);
    std::ranges::push_heap(entries_, std::ranges::greater{});
  }
  const Entry& top() const { return entries_.front(); }
  const Entry& at(std::size_t at) const { return entries_[at]; }
  /// The earliest time of all but the top; the greatest there is, if there is no other.
  std::uint64_t second_time() const {
    std::uint64_t time = ~std::uint64_t{0};
    if (entries_.size() > 1) time = entries_[1].time;
    if (entries_.size() > 2) time = std::min(time, entries_[2].time);
    return time;
  }

  /// Entry `at`, 0 being the top, has a later time now.
  void postpone(std::size_t at, std::uint64_t time) {
    entries_[at].time = time;
    sift_down(at);
  }
  void drop(std::size_t at);

  /// The earliest entry but the top for which `good(index)`, or 0. Each one asked costs one of
  /// `tries`, and when there are none left the search ends: else a file made for it, of many
  /// threads that all wait for what never comes, takes time with the square of its size.
  std::size_t find_other(std::uint64_t& tries,
                         const std::function<bool(std::uint32_t index)>& good);

 private:
  void sift_down(std::size_t at);

  std::vector<Entry> entries_;
  std::vector<std::size_t> frontier_;  // of the search: a heap of places in entries_
};

/// How many tries a trace has earned after so many events: a sound one needs hardly any.
class SearchBudget {
 public:
  static constexpr std::uint64_t at_first = 100'000;
  static constexpr std::uint64_t for_an_event = 16;

  std::uint64_t left(std::uint64_t events) const {
    return at_first + for_an_event * events - used_;
  }
  void use(std::uint64_t tries) { used_ += tries; }

 private:
  std::uint64_t used_ = 0;
};

}  // namespace weir::gotrace
