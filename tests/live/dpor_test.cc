// Partial-order reduction held against all schedules there are: what it leaves out must be nothing.
#include "weir/sched/dpor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/go_test_case.h"
#include "weir/sched/delay_bounded.h"
#include "weir/sched/test_runner.h"

namespace weir::live {
namespace {

using sched::RunRecord;

constexpr unsigned any_bound = 100'000;
constexpr std::size_t most_schedules = 60'000;

/// What all schedules of a search together have shown.
struct Seen {
  std::set<std::string> outcomes;
  std::set<std::uint64_t> orders;
  std::size_t schedules = 0;
};

template <class Search>
Seen try_all(Search& search, sched::TestRunner& runner) {
  Seen seen;
  while (seen.schedules < most_schedules) {
    auto choices = search.next();
    if (!choices) break;
    const auto record = runner.run(sched::FixedChooser(std::move(*choices)));
    if (!record) {
      ADD_FAILURE() << to_string(record.error());
      break;
    }
    seen.outcomes.insert(fmt::format("{}: {}", to_string(record->ending), record->message));
    seen.orders.insert(record->order_hash);
    ++seen.schedules;
    search.learn(*record);
  }
  return seen;
}

class DporTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), "orders", {.test_binary = true});
    WEIR_ASSERT_OK(auto binary, sched::TestBinary::open(program));
    binary_.emplace(std::move(binary));
  }
  /// What all schedules of a test show, and what those do that the reduction leaves.
  std::pair<Seen, Seen> compare(const std::string& test, sched::Dpor& dpor) {
    sched::RunOptions options;
    options.pattern = "^" + test + "$";
    sched::TestRunner runner(*binary_, options, watchdog_);
    sched::DelayBounded every(any_bound);
    std::pair<Seen, Seen> seen{try_all(every, runner), try_all(dpor, runner)};
    EXPECT_TRUE(every.complete());
    return seen;
  }
  std::optional<sched::TestBinary> binary_;
  sched::Watchdog watchdog_;
};

TEST_P(DporTest, LeavesNothingOut) {
  std::size_t all_schedules = 0, schedules = 0;
  for (const char* test : {"TestCross", "TestApart", "TestLastWriter", "TestSendAndClose",
                           "TestGivesUp", "TestTwoReady", "TestSignals", "TestReadsTwice",
                           "TestFlag", "TestNested", "TestOnce", "TestSubtests"}) {
    SCOPED_TRACE(test);
    sched::Dpor dpor;
    const auto [all, reduced] = compare(test, dpor);
    EXPECT_EQ(reduced.outcomes, all.outcomes);
    EXPECT_EQ(reduced.orders, all.orders);
    EXPECT_TRUE(dpor.complete()) << dpor.failure();
    EXPECT_LE(reduced.schedules, all.schedules);
    EXPECT_EQ(all.outcomes.size(), std::string_view(test) == "TestApart" ? 1U : 2U);
    all_schedules += all.schedules;
    schedules += reduced.schedules;
  }
  EXPECT_LT(schedules * 2, all_schedules);
}

TEST_P(DporTest, ClaimsNothingWhereThereAreTimers) {
  sched::Dpor dpor;
  compare("TestTimer", dpor);
  EXPECT_FALSE(dpor.complete());
  EXPECT_THAT(dpor.failure(), testing::HasSubstr("timers"));
}

WEIR_FOR_EACH_GO(DporTest);

}  // namespace
}  // namespace weir::live
