#include "weir/sched/chooser.h"

#include <gmock/gmock.h>

#include <set>

#include "weir/sched/agent/decider.h"
#include "weir/sched/delay_bounded.h"
#include "weir/sched/describe.h"

namespace weir::sched {
namespace {

using Choices = std::vector<std::uint32_t>;
using testing::ElementsAre;

const std::vector<std::uint64_t> three{1, 2, 3};

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

TEST(DelayBounded, KnowsThatNotEveryTailIsGosOwn) {
  DelayBounded search(1);
  ASSERT_TRUE(search.next());
  search.learn(run_with({2, 3}, {0, 1}));  // though nothing was asked for
  EXPECT_EQ(search.next(), Choices{1});
  search.learn(run_with({2, 3}, {1, 1}));
  EXPECT_EQ(search.next(), std::nullopt) << "{0, 1} was tried, {0, 2} costs two";
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

// Several schedules may be under way at a time: what is tried is the same.
TEST(DelayBounded, DoesNotDependOnHowManyRunAtATime) {
  const std::vector<std::uint32_t> alternatives{3, 2, 4, 2, 2};
  DelayBounded alone(3), crowd(3);
  const auto expected = all_of(alone, alternatives);
  std::vector<Choices> tried, running;
  while (true) {
    while (running.size() < 5 && crowd.ready()) {
      auto next = crowd.next();
      if (!next) break;
      running.push_back(*next);
    }
    if (running.empty()) break;
    crowd.learn(run_with(alternatives, running.front()));
    tried.push_back(running.front());
    running.erase(running.begin());
  }
  EXPECT_EQ(tried, expected);
  EXPECT_EQ(crowd.exhausted(), alone.exhausted());
  EXPECT_EQ(crowd.exhausted_after(), alone.exhausted_after());
}

agent::Decider decider_for(const Chooser& chooser) {
  return {{chooser.strategy, chooser.depth, chooser.seed, chooser.length,
           static_cast<std::uint32_t>(chooser.choices.size()), agent::Look::left, 0, 0},
          chooser.choices.data()};
}

constexpr auto operation = agent::PointKind::operation;

TEST(Choosers, OfOneSeedChooseAlike) {
  for (const auto kind : {agent::PointKind::resume, operation, agent::PointKind::select}) {
    auto a = decider_for(random_chooser(5)), b = decider_for(random_chooser(5));
    auto c = decider_for(pct_chooser(5, 3, 20)), d = decider_for(pct_chooser(5, 3, 20));
    for (int i = 0; i < 100; ++i) {
      const auto choice = a.choose(kind, three.data(), 3);
      EXPECT_LT(choice, three.size());
      EXPECT_EQ(choice, b.choose(kind, three.data(), 3));
      EXPECT_EQ(c.choose(kind, three.data(), 3), d.choose(kind, three.data(), 3));
    }
  }
}

TEST(Choosers, TakeEveryAlternative) {
  std::set<std::uint32_t> random, pct;
  for (std::uint64_t seed = 1; seed < 100; ++seed) {
    auto a = decider_for(random_chooser(seed)), b = decider_for(pct_chooser(seed, 3, 20));
    random.insert(a.choose(operation, three.data(), 3));
    pct.insert(b.choose(operation, three.data(), 3));
  }
  EXPECT_EQ(random.size(), 3U);
  EXPECT_EQ(pct.size(), 3U);
}

TEST(Choosers, PctChangesItsMindLessThanDepthTimes) {
  std::size_t most = 0;
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    auto decider = decider_for(pct_chooser(seed, 3, 40));
    std::size_t changes = 0, last = decider.choose(operation, three.data(), 3);
    for (int i = 0; i < 100; ++i) {
      const std::size_t now = decider.choose(operation, three.data(), 3);
      if (now != last) ++changes;
      last = now;
    }
    EXPECT_LE(changes, 2U) << seed;
    most = std::max(most, changes);
  }
  EXPECT_EQ(most, 2U);
}

TEST(Choosers, FixedTakesGosOwnAtTheEnd) {
  const FixedChooser chooser({2, 9});
  auto decider = decider_for(chooser);
  EXPECT_EQ(decider.choose(operation, three.data(), 3), 2U);
  EXPECT_EQ(decider.choose(operation, three.data(), 3), 0U);
  EXPECT_EQ(decider.choose(operation, three.data(), 3), 0U);
}

/// Who goes on at each of so many points, if those with a lower number come first for Go, and what
/// was chosen.
std::pair<std::vector<std::uint64_t>, Choices> turns_of(const Chooser& chooser,
                                                        std::size_t points) {
  auto decider = decider_for(chooser);
  std::pair<std::vector<std::uint64_t>, Choices> turns;
  for (std::size_t i = 0; i < points; ++i) {
    turns.second.push_back(decider.choose(operation, three.data(), 3));
    turns.first.push_back(three[turns.second.back()]);
  }
  return turns;
}

TEST(Choosers, NoTurnIsForEver) {
  constexpr std::size_t limit = agent::Decider::longest_turn, points = 5 * limit;
  const auto own = turns_of(FixedChooser({}), points).first;
  EXPECT_EQ(std::count(own.begin(), own.begin() + limit, 1), limit);
  EXPECT_EQ(own[limit], 2U);
  EXPECT_EQ(own[limit + 1], 1U);
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const auto chooser = pct_chooser(seed, 3, 40);
    const auto [runs, choices] = turns_of(chooser, points);
    EXPECT_EQ(std::set(runs.begin(), runs.end()).size(), 3U) << seed;
    EXPECT_EQ(turns_of(FixedChooser(choices), points).first, runs) << seed;
  }
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
