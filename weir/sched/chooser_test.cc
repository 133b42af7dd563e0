#include "weir/sched/chooser.h"

#include <gmock/gmock.h>

#include <set>

#include "weir/sched/delay_bounded.h"
#include "weir/sched/describe.h"

namespace weir::sched {
namespace {

using Choices = std::vector<std::uint32_t>;
using testing::ElementsAre;

const std::vector<Goid> three{{1}, {2}, {3}};

/// A run with so many alternatives at each point, that took these choices and then Go's.
RunRecord run_with(const std::vector<std::uint32_t>& alternatives, const Choices& choices) {
  RunRecord record;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    RunEvent event;
    event.alternatives = alternatives[i];
    event.choice = i < choices.size() ? choices[i] : 0;
    record.events.push_back(event);
  }
  return record;
}

/// All schedules of a program with these alternatives, whatever is chosen.
std::vector<Choices> all_of(DelayBounded& search, const std::vector<std::uint32_t>& alternatives) {
  std::vector<Choices> tried;
  while (auto next = search.next()) {
    tried.push_back(*next);
    search.learn(run_with(alternatives, *next));
  }
  return tried;
}

TEST(DelayBounded, TriesEachScheduleOnceAndTheCheapOnesFirst) {
  DelayBounded search(1);
  EXPECT_THAT(all_of(search, {2, 3, 2}),
              ElementsAre(Choices{}, Choices{1}, Choices{0, 1}, Choices{0, 0, 1}));
  EXPECT_EQ(search.exhausted(), 1U);
  EXPECT_EQ(search.exhausted_after(), 4U);
  EXPECT_FALSE(search.complete());
}

TEST(DelayBounded, KnowsWhenNothingIsLeft) {
  DelayBounded search(64);
  const auto tried = all_of(search, {2, 3, 2});
  EXPECT_EQ(tried.size(), 12U);  // 2 × 3 × 2
  EXPECT_EQ(std::set<Choices>(tried.begin(), tried.end()).size(), 12U);
  EXPECT_TRUE(search.complete());
}

TEST(DelayBounded, ClaimsNothingBeforeABoundIsDone) {
  DelayBounded search(2);
  ASSERT_TRUE(search.next());
  search.learn(run_with({2, 2}, {}));
  EXPECT_EQ(search.exhausted(), 0U);
  ASSERT_TRUE(search.next());
  search.learn(run_with({2, 2}, {1}));
  EXPECT_EQ(search.exhausted(), 0U);  // {0, 1} of bound 1 has not run
}

TEST(Choosers, OfOneSeedChooseAlike) {
  for (const bool preemption : {false, true}) {
    const auto a = make_random_chooser(5), b = make_random_chooser(5);
    const auto c = make_pct_chooser(5, 3, 20), d = make_pct_chooser(5, 3, 20);
    for (int i = 0; i < 100; ++i) {
      const ChoicePoint point{preemption, three};
      const std::size_t choice = a->choose(point);
      EXPECT_LT(choice, three.size());
      EXPECT_EQ(choice, b->choose(point));
      EXPECT_EQ(c->choose(point), d->choose(point));
    }
  }
}

TEST(Choosers, PctChangesItsMindLessThanDepthTimes) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const auto chooser = make_pct_chooser(seed, 3, 40);
    std::size_t changes = 0, last = chooser->choose({true, three});
    for (int i = 0; i < 100; ++i) {
      const std::size_t now = chooser->choose({true, three});
      if (now != last) ++changes;
      last = now;
    }
    EXPECT_LE(changes, 2U) << seed;
  }
}

TEST(Choosers, FixedTakesGosOwnAtTheEnd) {
  FixedChooser chooser({2, 9});
  EXPECT_EQ(chooser.choose({true, three}), 2U);
  EXPECT_EQ(chooser.choose({true, three}), 0U);
  EXPECT_EQ(chooser.choose({true, three}), 0U);
}

TEST(Describe, PatternNamesOneTest) {
  EXPECT_EQ(pattern_for("TestA"), "^TestA$");
  EXPECT_EQ(pattern_for("TestA/x.y"), "^TestA$/^x\\.y$");
}

TEST(Describe, DivergenceIsFoundAtItsPoint) {
  model::Schedule schedule;
  schedule.steps = {{Goid{6}, "resume", 0, {}, 2, 1, Goid{7}}};
  RunEvent event;
  event.goroutine = Goid{6};
  event.alternatives = 2;
  event.choice = 1;
  event.runs = Goid{7};
  EXPECT_FALSE(find_divergence(schedule, 0, event));
  EXPECT_TRUE(find_divergence(schedule, 1, event));
  event.alternatives = 3;
  EXPECT_THAT(find_divergence(schedule, 0, event).value_or(""), testing::HasSubstr("3 could run"));
}

}  // namespace
}  // namespace weir::sched
