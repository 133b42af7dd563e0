#include "weir/analysis/watch_rules.h"

#include <gmock/gmock.h>

#include <random>

namespace weir::analysis {
namespace {

using model::WatchPoint;
using model::WatchRules;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Numbers = std::vector<std::uint64_t>;

/// One group "g" with these counts, which are also the totals and the parked.
std::vector<WatchPoint> series(const Numbers& counts, bool own = false, bool serves = false) {
  std::vector<WatchPoint> points;
  for (const std::uint64_t count : counts) {
    WatchPoint& point = points.emplace_back();
    point.total = point.parked = count;
    if (serves) point.connections = count;
    if (count > 0) point.groups["g"] = {"g", count, own, serves};
  }
  return points;
}

/// Only the one rule, so that others do not hide it.
WatchRules only(const std::string& rule) {
  WatchRules rules;
  if (rule != "parked-growth") rules.parked_growth = std::nullopt;
  if (rule != "http-conns") rules.connections = std::nullopt;
  if (rule != "own-growth") rules.own_growth = std::nullopt;
  if (rule != "one-line") rules.one_line = std::nullopt;
  if (rule != "monotonic") rules.monotonic = std::nullopt;
  return rules;
}

bool alarms(const std::string& rule, const std::vector<WatchPoint>& points) {
  return !check(points, only(rule)).empty();
}

TEST(Noise, IsThreeDeviationsOfADifference) {
  EXPECT_FALSE(exceeds_noise(0, 8, 3));
  EXPECT_TRUE(exceeds_noise(0, 9, 3));
  EXPECT_FALSE(exceeds_noise(100, 147, 3));
  EXPECT_TRUE(exceeds_noise(100, 148, 3));
  EXPECT_FALSE(exceeds_noise(5, 5, 0));
  EXPECT_FALSE(exceeds_noise(6, 5, 0));
}

TEST(Monotonic, NeedsThreeLooksAndTwoSteps) {
  const auto fires = [](const Numbers& counts) { return alarms("monotonic", series(counts)); };
  EXPECT_TRUE(fires({0, 5, 10}));
  EXPECT_TRUE(fires({50, 5, 20, 40}));
  EXPECT_FALSE(fires({5, 100})) << "two looks";
  EXPECT_FALSE(fires({0, 0, 100})) << "a new level";
  EXPECT_FALSE(fires({0, 100, 100}));
  EXPECT_FALSE(fires({0, 10, 5})) << "it shrank";
  EXPECT_FALSE(fires({10, 10, 10}));
  EXPECT_FALSE(fires({0, 4, 8})) << "within chance";
  EXPECT_FALSE(fires({100, 120, 140})) << "within chance";
  EXPECT_TRUE(fires({100, 130, 160}));
  EXPECT_FALSE(fires({}));
}

TEST(ParkedGrowth, NeedsASteadyStateAndTwoLooksAboveIt) {
  const auto fires = [](const Numbers& counts) { return alarms("parked-growth", series(counts)); };
  EXPECT_TRUE(fires({100, 100, 100, 160, 160}));
  EXPECT_FALSE(fires({100, 100, 100, 160})) << "once";
  EXPECT_FALSE(fires({100, 100, 100, 160, 100})) << "it came back";
  EXPECT_FALSE(fires({100, 100, 100, 300, 160})) << "it is coming back";
  EXPECT_FALSE(fires({10000, 10000, 10000, 10900, 10900})) << "under 10 per cent";
  EXPECT_TRUE(fires({10000, 10000, 10000, 11001, 11001}));
  EXPECT_FALSE(fires({10, 10, 10, 14, 14})) << "within chance";
  EXPECT_FALSE(fires({100, 200, 100, 160, 160})) << "it was higher in the steady state";
}

TEST(HttpConnections, AlarmsToBothSides) {
  const auto fires = [](const Numbers& counts) {
    return alarms("http-conns", series(counts, false, true));
  };
  EXPECT_TRUE(fires({1000, 1000, 1000, 1150, 1150}));
  EXPECT_TRUE(fires({1000, 1000, 1000, 800, 800}));
  EXPECT_FALSE(fires({10000, 10000, 10000, 10999, 10999})) << "in the band";
  EXPECT_TRUE(fires({10000, 10000, 10000, 11001, 11001}));
  EXPECT_FALSE(fires({1000, 1000, 1000, 1150, 850})) << "not twice to the same side";
  EXPECT_FALSE(fires({1000, 1000, 1000, 1150, 1000}));
  EXPECT_FALSE(fires({100, 1000, 2000, 2500, 2600})) << "no steady state";
  EXPECT_FALSE(fires({10, 10, 10, 15, 15})) << "within chance";
  EXPECT_FALSE(alarms("http-conns", series({1000, 1000, 1000, 1150, 1150})));
}

TEST(OwnGrowth, TakesAnyGrowthThatStays) {
  const auto fires = [](const Numbers& counts, bool own = true) {
    return alarms("own-growth", series(counts, own));
  };
  EXPECT_TRUE(fires({0, 0, 0, 1, 1, 1}));
  EXPECT_TRUE(fires({4, 4, 4, 8, 8, 9}));
  EXPECT_FALSE(fires({4, 4, 4, 8, 8, 9}, false)) << "not the user's own";
  EXPECT_FALSE(fires({0, 0, 0, 1, 1}));
  EXPECT_FALSE(fires({0, 0, 1, 1, 1, 1})) << "it was there in the steady state";
  EXPECT_FALSE(fires({0, 0, 0, 2, 1, 2})) << "it shrinks in between";
  EXPECT_FALSE(fires({100, 100, 100, 101, 102, 103})) << "within chance";
}

TEST(OneLine, FromTenThousand) {
  std::vector<WatchPoint> points(1);
  model::WatchLine& line = points[0].lines["/src/a.go:7"];
  line = {{"main.f", "/src/a.go", 7}, 9'999, "g", 9'999};
  EXPECT_FALSE(alarms("one-line", points));
  line.count = 10'000;
  const auto hits = check(points, only("one-line"));
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].subject, "g");
  EXPECT_THAT(hits[0].statement, HasSubstr("10000 goroutines are blocked at /src/a.go:7"));
}

TEST(WatchRules, StartingUpAndStandingStillRaiseNothing) {
  EXPECT_THAT(check(series({50}, true, true), {}), IsEmpty());
  EXPECT_THAT(check(series({50, 50, 50, 50, 50, 50, 50}, true, true), {}), IsEmpty());
  EXPECT_THAT(check(series({900, 700, 500, 300, 100}, true), {}), IsEmpty()) << "it drains";
}

/// Requests that come and go by chance, at many levels: with the default rules, a series of half an
/// hour raises an alarm in less than 1 of 50 cases.
TEST(WatchRules, ChanceAloneRaisesFewAlarms) {
  std::mt19937 random(4711);
  int raised = 0, all = 0;
  for (const double level : {0.2, 1.0, 5.0, 30.0, 200.0, 3000.0}) {
    std::poisson_distribution<std::uint64_t> count(level);
    for (int i = 0; i < 500; ++i, ++all) {
      std::vector<WatchPoint> points;
      bool alarm = false;
      for (int look = 0; look < 7; ++look) {
        points.push_back(series({count(random)}, true, true)[0]);
        alarm = alarm || !check(points, {}).empty();
      }
      raised += alarm ? 1 : 0;
    }
  }
  RecordProperty("raised", raised);
  EXPECT_LT(raised, all / 50) << raised << " of " << all;
}

TEST(Counts, OfTheLastLooks) {
  EXPECT_THAT(counts_of(series({1, 2, 0, 4}), "g", 3), ElementsAre(2u, 0u, 4u));
  EXPECT_THAT(counts_of(series({1}), "other", 3), ElementsAre(0u));
}

}  // namespace
}  // namespace weir::analysis
