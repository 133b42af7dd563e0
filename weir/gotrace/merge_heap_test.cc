#include "weir/gotrace/merge_heap.h"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace weir::gotrace {
namespace {

/// Every step is compared with a plain map of the same entries.
TEST(MergeHeap, FindsTheEarliestWhateverIsPostponedAndDropped) {
  std::mt19937 random(6);
  for (int round = 0; round < 200; ++round) {
    MergeHeap heap;
    std::map<std::uint32_t, std::uint64_t> entries;
    const std::uint32_t count = 1 + random() % 40;
    for (std::uint32_t index = 0; index < count; ++index) {
      entries[index] = random() % 16;
      heap.add({entries[index], index});
    }
    while (!heap.empty()) {
      std::vector<MergeHeap::Entry> sorted;
      for (const auto& [index, time] : entries) sorted.push_back({time, index});
      std::ranges::sort(sorted);
      ASSERT_EQ(heap.top(), sorted.front());
      EXPECT_EQ(heap.second_time(), sorted.size() > 1 ? sorted[1].time : ~std::uint64_t{0});
      const std::uint32_t divisor = 1 + random() % 5;
      const auto good = [divisor](std::uint32_t index) { return index % divisor == 0; };
      std::uint64_t tries = 1000;
      std::size_t at = heap.find_other(tries, good);
      const auto expected = std::find_if(sorted.begin() + 1, sorted.end(),
                                         [&](const auto& entry) { return good(entry.index); });
      if (expected == sorted.end()) {
        EXPECT_EQ(at, 0u);
        EXPECT_EQ(tries, 1000 - (sorted.size() - 1));
      } else {
        EXPECT_EQ(heap.at(at), *expected);
      }
      const std::uint32_t index = heap.at(at).index;
      if (random() % 3 == 0) {
        heap.drop(at);
        entries.erase(index);
      } else {
        heap.postpone(at, entries[index] += random() % 8);
      }
      if (random() % 50 == 0) heap.clear();
    }
  }
}

TEST(MergeHeap, EndsTheSearchWhenNoTriesAreLeft) {
  MergeHeap heap;
  for (std::uint32_t index = 0; index < 100; ++index) heap.add({index, index});
  std::uint64_t tries = 10;
  EXPECT_EQ(heap.find_other(tries, [](std::uint32_t index) { return index == 50; }), 0u);
  EXPECT_EQ(tries, 0u);
}

TEST(SearchBudget, GrowsWithTheEventsAndIsSpent) {
  SearchBudget budget;
  budget.use(budget.left(0));
  EXPECT_EQ(budget.left(0), 0u);
  EXPECT_EQ(budget.left(100), 100 * SearchBudget::for_an_event);
}

}  // namespace
}  // namespace weir::gotrace
