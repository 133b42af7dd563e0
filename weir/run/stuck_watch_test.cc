#include "weir/run/stuck_watch.h"

#include <gtest/gtest.h>

namespace weir::run {
namespace {

constexpr std::int64_t one_second = 1'000'000'000;

struct Watched {
  StuckWatch watch{Nanos{10 * one_second}};
  std::vector<Glance> goroutines{{{1}, model::Status::waiting, false, "select", 1},
                                 {{7}, model::Status::waiting, false, "chan send", 2}};
  int glances = 0;
  std::int64_t cpu = 0;

  bool at(int second) {
    return watch.tick({second * one_second}, {cpu}, [this] {
      ++glances;
      return std::optional(goroutines);
    });
  }
  /// The second in [from, to) at which it reports, or -1.
  int first_report(int from, int to) {
    for (int second = from; second < to; ++second)
      if (at(second)) return second;
    return -1;
  }
};

TEST(StuckWatch, ReportsWhenNothingMovedForLongEnough) {
  Watched it;
  EXPECT_EQ(it.first_report(0, 30), 11);  // the first tick learns the CPU time, the second the rest
  EXPECT_EQ(it.first_report(12, 40), 22);
}

TEST(StuckWatch, ABusyProgramIsNotEvenLookedAt) {
  Watched it;
  for (int second = 0; second < 30; ++second) {
    it.cpu += one_second / 2;
    EXPECT_FALSE(it.at(second));
  }
  EXPECT_EQ(it.glances, 0);
}

TEST(StuckWatch, AnyMoveStartsAfresh) {
  Watched it;
  EXPECT_EQ(it.first_report(0, 8), -1);
  ++it.goroutines[1].parked_as;
  EXPECT_EQ(it.first_report(8, 30), 18);
}

TEST(StuckWatch, ARunnableGoroutineIsNotStill) {
  Watched it;
  it.goroutines[0].status = model::Status::runnable;
  EXPECT_EQ(it.first_report(0, 30), -1);
}

TEST(StuckWatch, ZeroMeansNever) {
  StuckWatch watch{Nanos{0}};
  for (int second = 0; second < 30; ++second)
    EXPECT_FALSE(watch.tick({second * one_second}, {0}, [] { return std::vector<Glance>{}; }));
}

}  // namespace
}  // namespace weir::run
