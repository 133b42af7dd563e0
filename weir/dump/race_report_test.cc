#include "weir/dump/race_report.h"

#include <gtest/gtest.h>

namespace weir::dump {
namespace {

constexpr std::string_view report =
    "some output of the test\n"
    "==================\n"
    "WARNING: DATA RACE\n"
    "Write at 0x00c0000182d8 by goroutine 8:\n"
    "  rc.TestPlain.func1()\n"
    "      /src/r_test.go:39 +0x33\n"
    "\n"
    "Previous atomic read at 0x00c0000182d8 by goroutine 7:\n"
    "  sync/atomic.LoadInt64()\n"
    "      /go/src/runtime/race_amd64.s:213 +0xb\n"
    "  rc.(*T).Load[...]()\n"
    "      /src/r.go:40 +0x104\n"
    "\n"
    "Goroutine 8 (running) created at:\n"
    "  rc.TestPlain()\n"
    "      /src/r_test.go:38 +0xf9\n"
    "\n"
    "Goroutine 7 (finished) created at:\n"
    "  testing.(*T).Run()\n"
    "      /go/src/testing/testing.go:2101 +0xb12\n"
    "==================\n"
    "--- FAIL: TestPlain\n";

TEST(RaceReport, HasBothAccessesAndWhoStartedThem) {
  const auto race = parse_race_report(report);
  ASSERT_TRUE(race);
  ASSERT_EQ(race->accesses.size(), 2U);
  const RaceAccess& newer = race->accesses[0];
  EXPECT_EQ(newer.what, "Write");
  EXPECT_EQ(newer.thread, 8U);
  ASSERT_EQ(newer.frames.size(), 1U);
  EXPECT_EQ(newer.frames[0].function, "rc.TestPlain.func1");
  EXPECT_EQ(newer.frames[0].file, "/src/r_test.go");
  EXPECT_EQ(newer.frames[0].line, 39);
  ASSERT_EQ(newer.created.size(), 1U);
  EXPECT_EQ(newer.created[0].line, 38);
  const RaceAccess& older = race->accesses[1];
  EXPECT_EQ(older.what, "Previous atomic read");
  ASSERT_EQ(older.frames.size(), 2U);
  EXPECT_EQ(older.frames[1].function, "rc.(*T).Load[...]");
  ASSERT_EQ(older.created.size(), 1U);
  EXPECT_EQ(older.created[0].function, "testing.(*T).Run");
}

TEST(RaceReport, KnowsTheMainGoroutineAndAStackThatIsLost) {
  const auto race = parse_race_report(
      "WARNING: DATA RACE\r\n"
      "Read at 0x00c000 by main goroutine:\r\n"
      "  main.main()\r\n"
      "      /src/m.go:4 +0x1\r\n"
      "\r\n"
      "Previous write at 0x00c000 by goroutine 6:\r\n"
      "  [failed to restore the stack]\r\n"
      "\r\n"
      "==================\r\n");
  ASSERT_TRUE(race);
  EXPECT_FALSE(race->accesses[0].thread);
  EXPECT_EQ(race->accesses[0].frames.size(), 1U);
  EXPECT_TRUE(race->accesses[0].created.empty());
  EXPECT_EQ(race->accesses[1].thread, 6U);
  EXPECT_TRUE(race->accesses[1].frames.empty());
}

TEST(RaceReport, IsNothingWhereOneIsCutOrMissing) {
  EXPECT_FALSE(parse_race_report(""));
  EXPECT_FALSE(parse_race_report("Write at 0x1 by goroutine 8:\n  main.f()\n      /m.go:1 +0x1\n"));
  EXPECT_FALSE(parse_race_report(report.substr(0, report.find("Previous"))));
  EXPECT_TRUE(parse_race_report(report.substr(0, report.find("  sync/atomic"))));
}

TEST(RaceReport, TakesTheFirstOfSeveral) {
  std::string two(report);
  two += report;
  two.replace(two.rfind("Write"), 5, "Read ");
  const auto race = parse_race_report(two);
  ASSERT_TRUE(race);
  EXPECT_EQ(race->accesses.size(), 2U);
  EXPECT_EQ(race->accesses[0].what, "Write");
}

}  // namespace
}  // namespace weir::dump
