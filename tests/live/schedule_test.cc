// The engine of `weir explore`: equal choices give equal runs, whether the process is a copy or
// started anew, and what is chosen is what happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/go_test_case.h"
#include "weir/sched/search.h"

namespace weir::live {
namespace {

using sched::Ending;
using sched::RunRecord;
using testing::HasSubstr;

constexpr const char* source = "schedule";

class ScheduleTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), source, {.test_binary = true});
    WEIR_ASSERT_OK(auto binary, sched::TestBinary::open(program));
    binary_.emplace(std::move(binary));
  }
  static sched::RunOptions options(const std::string& test) {
    sched::RunOptions options;
    options.pattern = "^" + test + "$";
    return options;
  }
  Result<sched::SearchResult> search(const std::string& test, sched::Strategy strategy,
                                     std::size_t schedules) {
    sched::SearchOptions options;
    options.run = ScheduleTest::options(test);
    options.strategy = strategy;
    options.schedules = schedules;
    options.time = {0};
    return sched::search(*binary_, options, watchdog_);
  }
  std::optional<sched::TestBinary> binary_;
  sched::Watchdog watchdog_;
};

TEST_P(ScheduleTest, CopiesAndFreshProcessesRunAlike) {
  const auto run = options("TestBusy");
  sched::TestRunner copies(*binary_, run, watchdog_);
  std::set<std::uint64_t> different;
  std::vector<std::uint32_t> choices;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto chooser =
        seed % 2 == 0 ? sched::random_chooser(seed) : sched::pct_chooser(seed, 3, 300);
    WEIR_ASSERT_OK(const RunRecord first, copies.run(chooser));
    EXPECT_EQ(first.ending, Ending::passed) << first.message << first.output;
    EXPECT_GT(first.events.size(), 200U);
    EXPECT_GT(first.asked, 500U);  // bench/explore counts on it
    for (int i = 0; i < 5; ++i) {
      WEIR_ASSERT_OK(const RunRecord again, copies.run(chooser));
      EXPECT_EQ(again.hash, first.hash);
    }
    WEIR_ASSERT_OK(const RunRecord fresh, run_schedule(*binary_, run, chooser, watchdog_));
    EXPECT_EQ(fresh.hash, first.hash);
    WEIR_ASSERT_OK(const RunRecord replay, copies.run(sched::FixedChooser(first.choices())));
    EXPECT_EQ(replay.hash, first.hash);
    different.insert(first.hash);
  }
  EXPECT_EQ(different.size(), 4U);
}

TEST_P(ScheduleTest, SelectTakesTheCaseThatIsChosen) {
  const auto run = options("TestSelectTells");
  sched::TestRunner runner(*binary_, run, watchdog_);
  std::set<std::string> outputs;
  std::set<std::uint64_t> channels;
  for (std::uint32_t wanted = 0; wanted < 4; ++wanted) {
    WEIR_ASSERT_OK(const RunRecord record, runner.run(sched::FixedChooser({wanted})));
    EXPECT_EQ(record.ending, Ending::passed);
    const auto& events = record.events;
    const auto select = std::find_if(events.begin(), events.end(), [](const auto& event) {
      return event.kind == sched::agent::PointKind::select;
    });
    ASSERT_NE(select, events.end());
    EXPECT_EQ(select->alternatives, 4U);
    EXPECT_EQ(select->choice, wanted);
    channels.insert(record.objects.at(select->object - 1).value);
    outputs.insert(record.output.substr(0, record.output.find('\n')));
  }
  // Which number a case has is the compiler's affair; that each has one is what counts.
  EXPECT_EQ(outputs, (std::set<std::string>{"case 0", "case 1", "case 2", "case 3"}));
  EXPECT_EQ(channels.size(), 4U);
}

TEST_P(ScheduleTest, FindsWhatDependsOnSelectAndTimers) {
  WEIR_ASSERT_OK(const auto prefers, search("TestSelectPrefers", sched::Strategy::random, 200));
  ASSERT_TRUE(prefers.found);
  EXPECT_EQ(prefers.found->record.ending, Ending::failed);
  EXPECT_EQ(prefers.found->confirmed, 10U);
  WEIR_ASSERT_OK(const auto races, search("TestTimerRaces", sched::Strategy::delay, 200));
  ASSERT_TRUE(races.found);
  EXPECT_EQ(races.found->confirmed, 10U);
  const auto& events = races.found->record.events;
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const auto& e) { return e.timer; }));
  WEIR_ASSERT_OK(const auto fixed, search("TestTimerRacesFixed", sched::Strategy::mixed, 200));
  EXPECT_FALSE(fixed.found);
  EXPECT_TRUE(fixed.unknown.empty());
}

TEST_P(ScheduleTest, NilPointersPanicWhereTheyShould) {
  for (const char* test : {"TestNilMutex", "TestNilAtomic"}) {
    const auto run = options(test);
    sched::TestRunner runner(*binary_, run, watchdog_);
    WEIR_ASSERT_OK(const RunRecord record, runner.run(sched::FixedChooser({})));
    EXPECT_EQ(record.ending, Ending::passed) << test << record.output;
    EXPECT_THAT(record.output, HasSubstr("recovered: runtime error: invalid memory address"));
  }
}

WEIR_FOR_EACH_GO(ScheduleTest);

class ScheduleNet : public testing::Test {
 protected:
  void SetUp() override {
    const auto go = test_support::find_newest_go_toolchain();
    if (!go) WEIR_SKIP("no Go toolchain");
    const auto program =
        test_support::build_go_program(*go, "schedulenet", {.cgo = true, .test_binary = true});
    if (!program) WEIR_SKIP("no C compiler for cgo");
    WEIR_ASSERT_OK(auto binary, sched::TestBinary::open(*program));
    binary_.emplace(std::move(binary));
  }
  Result<sched::SearchResult> search(const std::string& pattern) {
    sched::SearchOptions options;
    options.run.pattern = pattern;
    options.schedules = 100;
    options.time = {0};
    return sched::search(*binary_, options, watchdog_);
  }
  std::optional<sched::TestBinary> binary_;
  sched::Watchdog watchdog_;
};

TEST_F(ScheduleNet, FindsDeadlocksInProgramsLinkedWithC) {
  WEIR_ASSERT_OK(const auto result, search("^TestABBA$"));
  ASSERT_TRUE(result.found) << result.why;
  EXPECT_EQ(result.found->record.ending, Ending::deadlock);
  EXPECT_EQ(result.found->confirmed, 10U);
}

// Such a program has a template thread, which a copy lacks until the next LockOSThread.
TEST_F(ScheduleNet, StartsTheTemplateThreadAgain) {
  WEIR_ASSERT_OK(const auto result, search("^TestLockedThread$"));
  EXPECT_EQ(result.control, sched::Control::observed) << result.why;
  EXPECT_FALSE(result.found);
  EXPECT_GT(result.schedules, 5U);
}

}  // namespace
}  // namespace weir::live
