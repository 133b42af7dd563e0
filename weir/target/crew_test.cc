#include "weir/target/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace weir::target {
namespace {

TEST(Crew, DoesEachTaskOnceWhateverItsSize) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    Crew crew(threads);
    EXPECT_EQ(crew.size(), threads);
    for (const std::size_t count : {0U, 1U, 3U, 1000U}) {
      std::vector<std::atomic<int>> done(count);
      crew.run(count, [&](std::size_t i) { done[i].fetch_add(1); });
      for (const auto& times : done) EXPECT_EQ(times.load(), 1);
    }
  }
}

/// A late thread of one round must not take from the next one's tasks, nor touch what is gone.
TEST(Crew, RoundsDoNotMix) {
  Crew crew(4);
  for (std::size_t round = 1; round < 2000; ++round) {
    std::atomic<std::size_t> sum{0};
    crew.run(round % 7, [&](std::size_t) { sum.fetch_add(round); });
    ASSERT_EQ(sum.load(), round % 7 * round);
  }
}

TEST(Crew, EndsWithoutHavingWorked) {
  for (int i = 0; i < 100; ++i) Crew crew(3);
}

}  // namespace
}  // namespace weir::target
