// `weir explore` on programs built with -race: data races that the usual order of events hides are
// found, replay, and are told with both stacks; what has none gives no finding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"
#include "weir/sched/search.h"

namespace weir::live {
namespace {

using nlohmann::json;
using test_support::Completed;
using testing::HasSubstr;

constexpr const char* source = "explorerace";
constexpr const char* needs_c = "no C compiler, which -race needs";
constexpr const char* refused = "-race of Go 1.19 is refused";
const std::vector<std::string> bugs{"TestLateLock",  "TestLateAtomic", "TestGiveUp",
                                    "TestAddInside", "TestStopReport", "TestMakeTable"};

class ExploreRaceTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    const auto built =
        test_support::build_go_program(go(), source, {.race = true, .test_binary = true});
    if (!built && std::filesystem::exists("/usr/bin/cc")) FAIL() << to_string(built.error());
    if (!built) WEIR_SKIP(needs_c);
    program_ = *built;
  }
  bool is_refused() const { return go().minor < 20; }

  std::string program_;
  TemporaryFolder folder_;
};

void expect_both_stacks(const json& finding) {
  ASSERT_EQ(finding["race"].size(), 2U) << finding.dump(1);
  for (const json& access : finding["race"]) {
    ASSERT_FALSE(access["stack"].empty()) << finding.dump(1);
    const auto in_test = [](const json& place) {
      return place["file"].get<std::string>().ends_with("race_test.go");
    };
    EXPECT_TRUE(std::any_of(access["stack"].begin(), access["stack"].end(), in_test));
  }
  EXPECT_THAT(finding["message"].get<std::string>(), HasSubstr(" in weir.test/explorerace."));
}

TEST_P(ExploreRaceTest, FindsWhatTheUsualOrderHides) {
  if (is_refused()) WEIR_SKIP(refused);
  WEIR_ASSERT_OK(const Completed done, run_weir(go(), folder_.path(),
                                                {"explore", "-json", "-n", "200", "-for", "0s",
                                                 "-o", folder_.path(), program_}));
  const json report = json::parse(done.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << done.out << done.err;
  std::set<std::string> with_race;
  for (const json& test : report["tests"]) {
    EXPECT_EQ(test["control"], "controlled") << test.dump(1);
    EXPECT_EQ(test["unconfirmed"], 0) << test.dump(1);
    if (!test.contains("finding")) continue;
    with_race.insert(test["test"]);
    EXPECT_EQ(test["finding"]["outcome"], "data race") << test.dump(1);
    EXPECT_EQ(test["finding"]["confirmed"], 10) << test.dump(1);
    expect_both_stacks(test["finding"]);
  }
  EXPECT_EQ(report["tests"].size(), 2 * bugs.size());
  EXPECT_EQ(with_race, std::set<std::string>(bugs.begin(), bugs.end()));
  WEIR_ASSERT_OK(const Completed replay,
                 run_weir(go(), folder_.path(),
                          {"replay", "-n", "5", folder_ / "TestLateAtomic.schedule", program_}));
  EXPECT_EQ(replay.exit.code, 0) << replay.out << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("replayed 5 of 5"));
  EXPECT_THAT(replay.out, HasSubstr("previous write by goroutine"));
}

TEST_P(ExploreRaceTest, IsRefusedWithGo119) {
  const auto binary = sched::TestBinary::open(program_);
  ASSERT_EQ(binary.has_value(), !is_refused());
  if (!binary) {
    EXPECT_THAT(to_string(binary.error()), HasSubstr("with -race by Go 1.19"));
  }
}

TEST_P(ExploreRaceTest, CopiesAndFreshProcessesRunAlike) {
  if (is_refused()) WEIR_SKIP(refused);
  WEIR_ASSERT_OK(const auto binary, sched::TestBinary::open(program_));
  sched::Watchdog watchdog;
  sched::RunOptions run;
  run.pattern = "^TestLateLockFixed$";
  sched::TestRunner copies(binary, run, watchdog);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto chooser = sched::random_chooser(seed);
    WEIR_ASSERT_OK(const sched::RunRecord first, copies.run(chooser));
    EXPECT_EQ(first.ending, sched::Ending::passed) << first.message << first.output;
    WEIR_ASSERT_OK(const sched::RunRecord again, copies.run(chooser));
    EXPECT_EQ(again.hash, first.hash);
    WEIR_ASSERT_OK(const sched::RunRecord fresh, run_schedule(binary, run, chooser, watchdog));
    EXPECT_EQ(fresh.hash, first.hash);
  }
}

WEIR_FOR_EACH_GO(ExploreRaceTest);

// The build needs its -race again when a schedule is replayed from its package.
TEST(ExploreRace, BuildsThePackageLikeThatAgain) {
  const auto go = test_support::find_newest_go_toolchain();
  if (!go || go->minor < 20) WEIR_SKIP("no Go toolchain from 1.20 on");
  if (!std::filesystem::exists("/usr/bin/cc")) WEIR_SKIP(needs_c);
  const TemporaryFolder folder;
  std::filesystem::copy(WEIR_SOURCE_DIR "/tests/programs/explorerace/race_test.go", folder.path());
  ASSERT_TRUE(bytes::write_file(folder / "go.mod", "module example.com/race\n\ngo 1.19\n"));
  const test_support::ChildOptions there{
      .environment = test_support::go_environment(*go, {.race = true}), .directory = folder.path()};
  WEIR_ASSERT_OK(const Completed found,
                 test_support::run({WEIR_BINARY, "explore", "-race", "-go", go->go(), "-run",
                                    "^TestLateLock(Fixed)?$", "."},
                                   there));
  EXPECT_EQ(found.exit.code, 1) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr("TestLateLock: data race: write in example.com/race.lateLock"));
  for (const char* command : {"replay", "shrink"}) {
    WEIR_ASSERT_OK(const Completed again, test_support::run({WEIR_BINARY, command, "-go", go->go(),
                                                             folder / "TestLateLock.schedule"},
                                                            there));
    EXPECT_EQ(again.exit.code, 0) << command << again.out << again.err;
  }
}

}  // namespace
}  // namespace weir::live
