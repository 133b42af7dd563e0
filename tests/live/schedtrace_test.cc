// `weir schedtrace` on a program of every Go version.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/live/gate_run.h"
#include "tests/live/in_terminal.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using nlohmann::json;
using test_support::Completed;

class SchedTraceTest : public test_support::GoTest {};

TEST_P(SchedTraceTest, ReportsAndPassesEverythingThrough) {
  WEIR_BUILD_GO(program, go(), "schedcmd.go");
  for (const bool detail : {false, true}) {
    std::vector<std::string> command{WEIR_BINARY, "schedtrace", "-every", "20ms", "-json"};
    if (detail) command.emplace_back("-detail");
    command.insert(command.end(), {"--", program});
    WEIR_ASSERT_OK(const Completed done, test_support::run(command, {}));
    EXPECT_EQ(done.exit.code, 3) << done.err;
    EXPECT_EQ(done.err, "own line\nown line\nown line\n");
    EXPECT_THAT(done.err, testing::Not(testing::HasSubstr("SCHED ")));
    EXPECT_THAT(done.err, testing::Not(testing::HasSubstr("status=")));
    const json report = json::parse(done.out, nullptr, false);
    ASSERT_FALSE(report.is_discarded()) << done.out;
    EXPECT_EQ(report.at("schema"), "weir.schedtrace/1");
    EXPECT_EQ(report.at("detailed"), detail);
    EXPECT_EQ(report.at("gomaxprocs"), 2);
    EXPECT_GT(report.at("samples_seen"), 2);
    // 50 goroutines never stop, and two run.
    EXPECT_GE(report.at("run_queue").at("most").get<int>() +
                  report.at("local_queues").at("most").get<int>(),
              40);
    if (detail) {
      EXPECT_FALSE(report.at("samples").back().at("waiting_for").empty());
    }
  }
}

TEST_P(SchedTraceTest, LooksAtTheGoroutinesOfAStall) {
  WEIR_BUILD_GO(program, go(), "stalls.go");
  const std::vector<std::string> command{WEIR_BINARY, "schedtrace", "-every", "20ms", "-detail"};
  const auto run = [&](const std::string& flag) {
    std::vector<std::string> words = command;
    if (!flag.empty()) words.push_back(flag);
    words.insert(words.end(), {"--", program});
    return test_support::run(words, {});
  };
  WEIR_ASSERT_OK(const Completed done, run("-json"));
  EXPECT_EQ(done.exit.code, 1) << done.err;
  EXPECT_EQ(done.err, "to standard error\n");
  ASSERT_THAT(done.out, testing::StartsWith("to standard output\n"));
  const json report = json::parse(done.out.substr(done.out.find('{')), nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << done.out;
  EXPECT_THAT(report.at("verdicts").dump(), testing::HasSubstr("\"stalled\""));
  ASSERT_TRUE(report.contains("looks")) << done.out;
  EXPECT_LE(report.at("looks").size(), 5u);
  const json& look = report.at("looks")[0];
  EXPECT_EQ(look.at("verdict"), "stalled");
  ASSERT_TRUE(look.contains("goroutines")) << look;
  EXPECT_EQ(look.at("goroutines").at("rows")[0].at("key"),
            "chan receive: main.waitForEver; created by main.main");
  EXPECT_GT(look.at("goroutines").at("rows")[0].at("count"), 1);

  WEIR_ASSERT_OK(const Completed told, run(""));
  EXPECT_THAT(told.out, testing::ContainsRegex("when it was stalled, at [^\n]*:\n[0-9]+: [0-9]+ "
                                               "goroutines"));
  EXPECT_THAT(told.out, testing::HasSubstr("main.waitForEver"));
}

TEST_P(SchedTraceTest, IsToldByWeirTest) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go(), "gatesched"));
  const TemporaryFolder folder;
  WEIR_ASSERT_OK(const Completed done, run_weir_test(go(), module,
                                                     {"-schedtrace", "20", "-weir.json",
                                                      folder / "r.json", "./busy", "./pointers"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;  // too few CPUs is no fault of the program
  EXPECT_THAT(done.out + done.err, testing::Not(testing::HasSubstr("SCHED ")));
  EXPECT_THAT(done.err, testing::ContainsRegex("weir: .*/busy: scheduler: [0-9]+ samples over "));
  EXPECT_THAT(done.err, testing::HasSubstr("  starved from "));
  WEIR_ASSERT_OK(const json report, read_json(folder / "r.json"));
  for (const json& program : report.at("programs")) {
    if (!program.at("package").get<std::string>().ends_with("/busy")) continue;
    EXPECT_GT(program.at("scheduler").at("samples_seen"), 3);
    EXPECT_EQ(program.at("scheduler").at("gomaxprocs"), 2);
    EXPECT_FALSE(program.contains("pointer_fault"));
  }
}

WEIR_FOR_EACH_GO(SchedTraceTest);

class SchedLive : public testing::Test {
 protected:
  void SetUp() override {
    const auto go = test_support::find_newest_go_toolchain();
    if (!go) WEIR_SKIP("no Go toolchain");
    WEIR_BUILD_GO(program, *go, "stalls.go");
    command_ = {WEIR_BINARY, "schedtrace", "-live", "-detail", "-every", "20ms", "--", program};
  }
  std::vector<std::string> command_;
};

/// What the lines are taken away with.
constexpr std::string_view erased = "\x1b[5A\x1b[J";

TEST_F(SchedLive, ShowsTheStateBelowTheOutput) {
  InTerminal weir(command_);
  EXPECT_TRUE(weir.shows("-- scheduler at "));
  EXPECT_TRUE(weir.shows("queued   0 (0 global, 0 in Ps, 0 in one)"));
  EXPECT_TRUE(weir.shows("verdict  stalled since "));
  EXPECT_THAT(weir.out(), testing::HasSubstr("to standard output\r\n"));
  EXPECT_THAT(weir.out(), testing::HasSubstr("to standard error\r\n"));
  weir.type("\x03");  // Ctrl-C ends the program, and weir reports
  EXPECT_TRUE(weir.shows("samples over"));
  EXPECT_TRUE(weir.shows("when it was stalled"));
  const int status = weir.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT) << status;
  EXPECT_TRUE(weir.is_as_before());
  const auto last = weir.out().rfind("-- scheduler at ");
  EXPECT_NE(weir.out().find(erased, last), std::string::npos) << "the lines are still there";
}

TEST_F(SchedLive, ASignalGoesOnToTheProgram) {
  InTerminal weir(command_);
  EXPECT_TRUE(weir.shows("-- scheduler at "));
  weir.signal(SIGTERM);
  EXPECT_TRUE(weir.shows("samples over"));
  const int status = weir.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM) << status;
  EXPECT_TRUE(weir.is_as_before());
}

TEST_F(SchedLive, IsTextWhereThereIsNoTerminal) {
  WEIR_ASSERT_OK(const Completed done, test_support::run(command_, {}));
  EXPECT_EQ(done.exit.code, 1);
  EXPECT_THAT(done.err, testing::ContainsRegex("weir: scheduler at [^\n]*: queued 0 [^\n]*\n"));
  EXPECT_THAT(done.err, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(done.err, testing::HasSubstr("to standard error\n"));
}

TEST(SchedUsage, LiveNeedsAProgram) {
  WEIR_ASSERT_OK(const Completed done,
                 test_support::run({WEIR_BINARY, "schedtrace", "-live", "file"}, {}));
  EXPECT_EQ(done.exit.code, 2);
  EXPECT_THAT(done.err, testing::HasSubstr("-live shows a program that weir starts"));
}

/// Of one toolchain: what it says.
void check_pointers(const test_support::GoToolchain& go) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go, "gatesched"));
  const TemporaryFolder folder;
  WEIR_ASSERT_OK(const Completed without, run_weir_test(go, module, {"./pointers"}));
  EXPECT_EQ(without.exit.code, 0) << without.out << without.err;
  WEIR_ASSERT_OK(const Completed done,
                 run_weir_test(go, module,
                               {"-checkptr", "-junit", folder / "r.xml", "-weir.json",
                                folder / "r.json", "./pointers"}));
  EXPECT_EQ(done.exit.code, 1) << done.out << done.err;
  EXPECT_THAT(done.out, testing::HasSubstr("own line\n"));
  EXPECT_THAT(done.out, testing::HasSubstr("fatal error: checkptr: converted pointer straddles"));
  EXPECT_THAT(done.err, testing::ContainsRegex(
                            "weir: .*/pointers: unsafe pointer: checkptr: converted pointer "
                            "straddles multiple allocations\n    at: +[^ ]*pointers.widen"));
  WEIR_ASSERT_OK(const json report, read_json(folder / "r.json"));
  const json& fault = report.at("programs")[0].at("pointer_fault");
  EXPECT_THAT(fault.at("stack")[0].at("function").get<std::string>(),
              testing::EndsWith("pointers.widen"));
  EXPECT_EQ(fault.at("stack")[0].at("line"), 14);
  WEIR_ASSERT_OK(const std::string xml, read_text(folder / "r.xml"));
  EXPECT_THAT(xml, testing::HasSubstr("type=\"checkptr\""));
  WEIR_ASSERT_OK(const Completed twice,
                 run_weir_test(go, module, {"-checkptr", "-gcflags=all=-l", "./pointers"}));
  EXPECT_EQ(twice.exit.code, 2);
  EXPECT_THAT(twice.err, testing::HasSubstr("of which go test takes one"));
}

// Only of the oldest and the newest: each builds Go's own packages anew.
TEST(CheckPointers, AreToldByWeirTest) {
  const auto toolchains = ends_of_go();
  if (toolchains.empty()) WEIR_SKIP("no Go here");
  for (const test_support::GoToolchain& go : toolchains) {
    SCOPED_TRACE(go.version);
    check_pointers(go);
  }
}

}  // namespace
}  // namespace weir::live
