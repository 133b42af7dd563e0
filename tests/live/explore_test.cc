// `weir explore`, `replay` and `shrink` on tests with the classic bugs: each bug is found and
// replays, and the same test without the bug gives no finding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::Completed;
using testing::HasSubstr;

constexpr const char* source = "explore";
constexpr const char* every_kind =
    "^Test(LockAndSend|AddInside|GiveUp|LostWakeUp|CondEarly|Workers|FirstError|ReadTwice)$";

Result<Completed> weir(std::vector<std::string> words) {
  words.insert(words.begin(), WEIR_BINARY);
  return test_support::run(words, {});
}

/// A folder for schedule files.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("weir-explore-test-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& test) const {
    return (path_ / (test + ".schedule")).string();
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

class ExploreTest : public test_support::GoTest {
 protected:
  /// The outcome for each test that matches ("" without a finding), by name.
  static std::map<std::string, std::string> explore(const std::string& program,
                                                    const std::string& pattern,
                                                    const std::string& schedules) {
    std::map<std::string, std::string> outcomes;
    const auto done = weir({"explore", "-json", "-n", schedules, "-for", "0s", "-o",
                            folder().path(), "-run", pattern, program});
    EXPECT_TRUE(done.has_value());
    if (!done) return outcomes;
    const json report = json::parse(done->out, nullptr, false);
    EXPECT_FALSE(report.is_discarded()) << done->out << done->err;
    if (report.is_discarded()) return outcomes;
    for (const json& test : report["tests"]) {
      EXPECT_EQ(test["control"], "controlled") << test.dump(1);
      EXPECT_TRUE(test["unknown"].empty()) << test.dump(1);
      EXPECT_EQ(test["unconfirmed"], 0) << test.dump(1);
      outcomes[test["test"]] = test.contains("finding") ? test["finding"]["outcome"] : "";
    }
    return outcomes;
  }
  static Folder& folder() {
    static Folder one;
    return one;
  }
};

TEST_P(ExploreTest, FindsAndReplays) {
  WEIR_BUILD_GO(program, go(), source, {.test_binary = true});
  const auto outcomes = explore(program, "^Test(ABBA|CloseAndSend)(Fixed)?$", "40");
  EXPECT_THAT(outcomes, testing::UnorderedElementsAre(testing::Pair("TestABBA", "deadlock"),
                                                      testing::Pair("TestABBAFixed", ""),
                                                      testing::Pair("TestCloseAndSend", "panic"),
                                                      testing::Pair("TestCloseAndSendFixed", "")));
  WEIR_ASSERT_OK(const Completed done,
                 weir({"replay", "-n", "5", folder().file("TestABBA"), program}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("replayed 5 of 5"));
  EXPECT_THAT(done.out, testing::ContainsRegex("cycle: goroutine [0-9]+ waits for goroutine [0-9]+ "
                                               "waits for goroutine [0-9]+\n"));
}

// By priority one that spins comes first in many schedules, and for ever if nothing ends its turn.
TEST_P(ExploreTest, OneThatSpinsLetsOthersGoOn) {
  WEIR_BUILD_GO(program, go(), "schedule", {.test_binary = true});
  EXPECT_THAT(explore(program, "^TestSpins", "60"),
              testing::UnorderedElementsAre(testing::Pair("TestSpins", ""),
                                            testing::Pair("TestSpinsPolitely", ""),
                                            testing::Pair("TestSpinsAndFails", "failed")));
}

std::string certainties(const json& test) {
  std::string all;
  for (const json& leak : test["finding"]["leaks"])
    all += leak["key"].get<std::string>().substr(0, leak["key"].get<std::string>().find(':')) +
           ": " + leak["certainty"].get<std::string>() + "; ";
  return all;
}

// What nothing leads to is proved to be leaked; weir's own notes of a channel are no way to it.
// What a variable, or one that sleeps, leads to is not.
TEST_P(ExploreTest, ProvesLeaks) {
  WEIR_BUILD_GO(program, go(), source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed done,
                 weir({"explore", "-json", "-n", "20", "-for", "0s", "-o", folder().path(), "-run",
                       "^Test(GiveUp|FirstError|Pipeline|LeavesDaemon|KeepsChannel|KeptBySleeper)$",
                       program}));
  const json report = json::parse(done.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << done.out << done.err;
  std::map<std::string, std::string> found;
  for (const json& test : report["tests"]) found[test["test"]] = certainties(test);
  EXPECT_THAT(found,
              testing::UnorderedElementsAre(
                  testing::Pair("TestGiveUp", "chan send: proved; "),
                  testing::Pair("TestFirstError", "chan send: proved; "),
                  testing::Pair("TestPipeline", "chan send: proved; "),
                  testing::Pair("TestLeavesDaemon", "select (no cases): proved; "),
                  testing::Pair("TestKeepsChannel", "chan receive: likely; "),
                  testing::Pair("TestKeptBySleeper", "chan receive: likely; sleep: likely; ")))
      << done.out;
}

WEIR_FOR_EACH_GO(ExploreTest);

/// What does not depend on the Go version, with the newest one.
class ExploreNewest : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = test_support::find_newest_go_toolchain();
    if (!found) WEIR_SKIP("no Go toolchain");
    go_ = *found;
  }
  /// The outcome of each test ("" without a finding) when weir explore is given these words.
  std::map<std::string, std::string> outcomes_of(const std::vector<std::string>& words) const {
    std::vector<std::string> all{"explore", "-json", "-for", "0s", "-o", folder_.path()};
    all.insert(all.end(), words.begin(), words.end());
    std::map<std::string, std::string> outcomes;
    const auto done = weir(all);
    const json report = done ? json::parse(done->out, nullptr, false) : json();
    if (!report.is_object()) {
      ADD_FAILURE() << (done ? done->out + done->err : "weir did not start");
      return outcomes;
    }
    for (const json& test : report["tests"])
      outcomes[test["test"]] = test.contains("finding") ? test["finding"]["outcome"] : "";
    return outcomes;
  }
  test_support::GoToolchain go_;
  Folder folder_;
};

TEST_F(ExploreNewest, FindsEveryKind) {
  WEIR_BUILD_GO(program, go_, source, {.ldflags = "-s -w", .pie = true, .test_binary = true});
  const std::map<std::string, std::string> expected{
      {"TestLockAndSend", "deadlock"}, {"TestAddInside", "failed"},   {"TestGiveUp", "leak"},
      {"TestLostWakeUp", "deadlock"},  {"TestCondEarly", "deadlock"}, {"TestWorkers", "failed"},
      {"TestFirstError", "leak"},      {"TestReadTwice", "deadlock"}};
  EXPECT_EQ(outcomes_of({"-n", "100", "-run", every_kind, program}), expected);
}

TEST_F(ExploreNewest, FindsTheBugsOfStudies) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  const std::map<std::string, std::string> expected{
      {"TestDoubleLock", "deadlock"},   {"TestRing", "deadlock"},
      {"TestGoneClient", "leak"},       {"TestMissedStop", "deadlock"},
      {"TestReuse", "panic"},           {"TestResultAfterCancel", "deadlock"},
      {"TestCloseTwice", "panic"},      {"TestTimeout", "leak"},
      {"TestPipeline", "leak"},         {"TestPool", "panic"},
      {"TestSlots", "deadlock"},        {"TestOnceCross", "deadlock"},
      {"TestPhilosophers", "deadlock"}, {"TestNestedLimit", "deadlock"},
      {"TestShutdown", "leak"},         {"TestMakeTwice", "failed"},
      {"TestBarrier", "deadlock"}};
  std::string pattern;
  for (const auto& [test, outcome] : expected) pattern += (pattern.empty() ? "^(" : "|") + test;
  EXPECT_EQ(outcomes_of({"-n", "200", "-run", pattern + ")$", program}), expected);
}

TEST_F(ExploreNewest, FindsTheSameHoweverManyRunAtATime) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  std::vector<json> reports;
  for (const char* jobs : {"1", "2", "5"})
    for (const char* strategy : {"mixed", "delay", "pct", "dpor"}) {
      WEIR_ASSERT_OK(
          const Completed done,
          weir({"explore", "-json", "-j", jobs, "-strategy", strategy, "-n", "60", "-for", "0s",
                "-o", folder_.path(), "-run",
                "^Test(ABBA|LostWakeUp|DepthThree|DoubleLockFixed|FirstErrorFixed)$", program}));
      reports.push_back(json::parse(done.out, nullptr, false));
      ASSERT_TRUE(reports.back().is_object()) << done.out << done.err;
      ASSERT_EQ(reports.back()["tests"].size(), 5U);
      if (reports.size() <= 4) continue;
      EXPECT_EQ(reports.back(), reports[reports.size() - 5]) << jobs;
    }
}

TEST_F(ExploreNewest, LeavesAloneWhatTheGateDoes) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  const char* pattern = "^Test(Leaves.*|ListensToSignals|EndsLater|ParallelSubtests)$";
  std::map<std::string, std::string> expected{{"TestLeavesDaemon", "leak"},
                                              {"TestLeavesSleeper", "leak"},
                                              {"TestListensToSignals", ""},
                                              {"TestEndsLater", ""},
                                              {"TestParallelSubtests", ""}};
  EXPECT_EQ(outcomes_of({"-n", "10", "-run", pattern, program}), expected);
  expected["TestLeavesDaemon"] = expected["TestLeavesSleeper"] = "";
  EXPECT_EQ(outcomes_of({"-n", "10", "-ignore-created-by", "*/explore.startDaemon", "-ignore-top",
                         "time.Sleep", "-run", pattern, program}),
            expected);
}

TEST_F(ExploreNewest, TriesEverythingOfASmallTest) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed done, weir({"explore", "-strategy", "delay", "-o", folder_.path(),
                                             "-run", "^TestSleepsLong$", program}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("no finding: every schedule was tried (1)"));
}

// That there is no other order is said where it is so, and only there.
TEST_F(ExploreNewest, TriesAllOrdersOfASmallTest) {
  WEIR_BUILD_GO(program, go_, "orders", {.test_binary = true});
  const auto explore = [&](const char* strategy, const char* test) {
    const auto done = weir({"explore", "-strategy", strategy, "-n", "400", "-o", folder_.path(),
                            "-run", test, program});
    return done ? done->out : "";
  };
  constexpr const char* all =
      "no finding: exhausted: all [0-9]+ orders of operations were tried \\([0-9]+ schedules\\)";
  EXPECT_THAT(explore("dpor", "^TestApart$"), testing::ContainsRegex(all));
  EXPECT_THAT(explore("mixed", "^TestApart$"), testing::ContainsRegex(all));
  EXPECT_THAT(explore("dpor", "^TestCross$"), HasSubstr("TestCross: deadlock"));
  WEIR_BUILD_GO(other, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed timed, weir({"explore", "-strategy", "dpor", "-o", folder_.path(),
                                              "-run", "^TestSleepsLong$", other}));
  EXPECT_THAT(timed.out, HasSubstr("no finding: every schedule was tried (1)"));
  EXPECT_THAT(timed.out, HasSubstr("dpor does not know all orders of operations: the test uses"));
}

TEST_F(ExploreNewest, RefusesWhatItCannotControl) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed spins,
                 weir({"explore", "-o", folder_.path(), "-run", "^TestSpins$", program}));
  EXPECT_EQ(spins.exit.code, 0) << spins.out << spins.err;
  EXPECT_THAT(spins.out, HasSubstr("TestSpins: not controlled: stalled: a goroutine ran for"));
  WEIR_ASSERT_OK(const Completed blocks, weir({"explore", "-o", folder_.path(), "-run",
                                               "^TestBlocksInSystemCall$", program}));
  EXPECT_EQ(blocks.exit.code, 0) << blocks.out << blocks.err;
  EXPECT_THAT(blocks.out, HasSubstr("not controlled: stalled: the program waits for something"));
}

TEST_F(ExploreNewest, BindsSchedulesToTheirBuild) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_BUILD_GO(other, go_, source, {.ldflags = "-s -w", .test_binary = true});
  WEIR_ASSERT_OK(const Completed found,
                 weir({"explore", "-o", folder_.path(), "-run", "^TestGiveUp$", program}));
  ASSERT_EQ(found.exit.code, 1) << found.out << found.err;
  const std::string file = folder_.file("TestGiveUp");
  WEIR_ASSERT_OK(const Completed wrong, weir({"replay", file, other}));
  EXPECT_EQ(wrong.exit.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("the schedule belongs to another build of the test"));
}

TEST_F(ExploreNewest, SaysWhereAReplayGoesAnotherWay) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed found,
                 weir({"explore", "-o", folder_.path(), "-run", "^TestLockAndSend$", program}));
  ASSERT_EQ(found.exit.code, 1) << found.out << found.err;
  const std::string file = folder_.file("TestLockAndSend");
  std::string text;
  {
    WEIR_ASSERT_OK(const auto mapped, bytes::MappedFile::open(file));
    text.assign(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size());
  }
  const std::string was = "\"operation\":\"chan send\"";
  const auto at = text.rfind(was);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, was.size(), "\"operation\":\"close\"");
  ASSERT_TRUE(bytes::write_file(file, text).has_value());
  WEIR_ASSERT_OK(const Completed done, weir({"replay", file, program}));
  EXPECT_EQ(done.exit.code, 1);
  EXPECT_THAT(done.out, HasSubstr("went another way: point 3 is goroutine"));
}

/// The state of a process ("T (stopped)"); "" once it has ended.
std::string state_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("State:\t")) return line[7] == 'Z' ? "" : line.substr(7);
  return {};
}

/// Right after a tracer has let it go it may still be on its way back to that state.
bool comes_to_stand(int pid) {
  std::string state;
  do state = state_of(pid);
  while (!state.empty() && state[0] == 'R');
  return state == "T (stopped)";
}

// It stands in the program's own code, a debugger can be attached, and what comes next is the rest
// of the schedule.
TEST_F(ExploreNewest, LeavesAReplayStandingAtAPoint) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  EXPECT_EQ(outcomes_of({"-n", "40", "-run", "^TestABBA$", program}).size(), 1U);
  const std::string file = folder_.file("TestABBA");
  for (const char* point : {"1", "3", "4", "6"}) {
    WEIR_ASSERT_OK(const Completed done, weir({"replay", "-stop-at", point, file, program}));
    ASSERT_EQ(done.exit.code, 0) << done.out << done.err;
    int pid = 0, thread = 0;
    const auto told = done.out.find("process "), which = done.out.find("Thread ");
    ASSERT_NE(told, std::string::npos) << done.out;
    ASSERT_NE(which, std::string::npos) << done.out;
    ASSERT_EQ(std::sscanf(done.out.c_str() + told, "process %d", &pid), 1);
    ASSERT_EQ(std::sscanf(done.out.c_str() + which, "Thread %d", &thread), 1);
    EXPECT_TRUE(comes_to_stand(pid));
    std::ifstream output("/proc/" + std::to_string(pid) + "/fd/1");
    ASSERT_EQ(ptrace(PTRACE_SEIZE, thread, 0, 0), 0) << std::strerror(errno);
    int status = 0;
    ASSERT_EQ(waitpid(thread, &status, __WALL), thread);
    user_regs_struct registers{};
    EXPECT_EQ(ptrace(PTRACE_GETREGS, thread, 0, &registers), 0);
    constexpr std::uint64_t code_start = 0x400000, code_end = 0x1000000;  // of a small program
    EXPECT_TRUE(registers.rip > code_start && registers.rip < code_end) << registers.rip;
    EXPECT_EQ(ptrace(PTRACE_DETACH, thread, 0, 0), 0);
    EXPECT_TRUE(comes_to_stand(pid));
    ASSERT_EQ(kill(pid, SIGCONT), 0);
    while (!state_of(pid).empty()) usleep(1'000);
    const std::string text{std::istreambuf_iterator<char>(output), {}};
    EXPECT_THAT(text, HasSubstr("all goroutines are asleep - deadlock!")) << point;
  }
  WEIR_ASSERT_OK(const Completed far, weir({"replay", "-stop-at", "999", file, program}));
  EXPECT_EQ(far.exit.code, 2);
  EXPECT_THAT(far.err, HasSubstr("points"));
}

TEST_F(ExploreNewest, ShrinksARandomWalk) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed found,
                 weir({"explore", "-strategy", "random", "-o", folder_.path(), "-run",
                       "^TestLockAndSend$", program}));
  ASSERT_EQ(found.exit.code, 1) << found.out << found.err;
  WEIR_ASSERT_OK(const Completed done, weir({"shrink", folder_.file("TestLockAndSend"), program}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  WEIR_ASSERT_OK(const Completed again, weir({"replay", folder_.file("TestLockAndSend"), program}));
  EXPECT_EQ(again.exit.code, 0) << again.out << again.err;
}

TEST_F(ExploreNewest, ReplaysATokenAndTellsTheStory) {
  WEIR_BUILD_GO(program, go_, source, {.test_binary = true});
  WEIR_ASSERT_OK(const Completed found,
                 weir({"explore", "-json", "-o", folder_.path(), "-run", "^TestABBA$", program}));
  const json report = json::parse(found.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << found.out << found.err;
  const std::string token = report["tests"][0]["finding"]["token"];
  WEIR_ASSERT_OK(const Completed done,
                 weir({"replay", "-n", "3", "-html", folder_.file("page"), "-emit-test",
                       folder_.path() + "/order_test.go", token, program}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("replayed 3 of 3"));
  WEIR_ASSERT_OK(const std::string page, bytes::read_file(folder_.file("page")));
  EXPECT_THAT(page, HasSubstr("bugs_test.go:"));
  EXPECT_THAT(page, HasSubstr("cycle: goroutine"));
  // What was emitted is a file of the test's package, and compiles there.
  fs::copy(fs::path(WEIR_SOURCE_DIR) / "tests/programs/explore/bugs_test.go", folder_.path());
  ASSERT_TRUE(
      bytes::write_file(folder_.path() + "/go.mod", "module weir.test/explore\n\ngo 1.19\n"));
  const test_support::ChildOptions there{.environment = {"PWD=" + folder_.path()},
                                         .directory = folder_.path()};
  WEIR_ASSERT_OK(const Completed built,
                 test_support::run({go_.go(), "test", "-c", "-o", folder_.file("order")}, there));
  EXPECT_EQ(built.exit.code, 0) << built.out << built.err;
  std::string wrong = token;
  wrong[10] = wrong[10] == 'A' ? 'B' : 'A';
  WEIR_ASSERT_OK(const Completed mistyped, weir({"replay", wrong, program}));
  EXPECT_EQ(mistyped.exit.code, 2);
  EXPECT_THAT(mistyped.err, HasSubstr("cut or mistyped"));
}

}  // namespace
}  // namespace weir::live
