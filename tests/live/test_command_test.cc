// `weir test` from the command line: what go test says, takes and returns stays as it is, and what
// weir adds comes beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"

namespace weir::live {
namespace {

using test_support::Completed;
using testing::HasSubstr;
using testing::Not;

class TestCommandTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    const auto module = test_support::stage_go_module(go(), "gatecmd");
    ASSERT_TRUE(module.has_value()) << to_string(module.error());
    // A copy: these tests write files beside the packages.
    std::filesystem::copy(*module, folder_.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }

  Result<Completed> weir_test(const std::vector<std::string>& words,
                              const std::vector<std::string>& environment = {}) {
    return run_weir_test(go(), folder_.path(), words, environment);
  }
  Result<Completed> go_test(std::vector<std::string> words) {
    words.insert(words.begin(), "test");
    return run_go(go(), folder_.path(), words);
  }
  std::string file(const std::string& name) { return folder_ / name; }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(file(name)) << text;
  }

 private:
  TemporaryFolder folder_;
};

TEST_P(TestCommandTest, JsonStaysJson) {
  WEIR_ASSERT_OK(const Completed done, weir_test({"-json", "./passes", "./leaks", "./fails"}));
  EXPECT_EQ(done.exit.code, 1);
  std::map<std::string, std::string> last;
  std::map<std::string, std::string> of_test;
  std::istringstream lines(done.out);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    ASSERT_TRUE(event.contains("Action")) << line;
    if (!event.contains("Test"))
      last[event.value("Package", "")] = event.at("Action");
    else
      of_test[event.at("Test").get<std::string>()] = event.at("Action");
  }
  EXPECT_EQ(last["weir.test/gatecmd/passes"], "pass");
  EXPECT_EQ(last["weir.test/gatecmd/leaks"], "fail");
  EXPECT_EQ(last["weir.test/gatecmd/fails"], "fail");
  EXPECT_EQ(of_test["TestLeaks"], "pass");  // the test passed; it is the package that fails
  EXPECT_EQ(of_test["TestFails"], "fail");
  EXPECT_THAT(done.err, HasSubstr("TestLeaks"));
}

TEST_P(TestCommandTest, FlagsReachGoTest) {
  WEIR_ASSERT_OK(const Completed done,
                 weir_test({"-settle=0s", "-v", "-run", "TestFlags", "-count=2", "-parallel", "3",
                            "-timeout=77s", "-short", "./passes"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  for (const char* line : {"flag run=TestFlags\n", "flag count=2\n", "flag parallel=3\n",
                           "flag timeout=1m17s\n", "flag short=true\n"})
    EXPECT_THAT(done.out, HasSubstr(line));
  EXPECT_THAT(done.out, Not(HasSubstr("TestCovers")));
  WEIR_ASSERT_OK(const Completed leak, weir_test({"-run=TestClean", "./leaks"}));
  EXPECT_EQ(leak.exit.code, 0) << leak.err;
  WEIR_ASSERT_OK(const Completed bench, weir_test({"-bench=.", "-benchtime=10x", "./passes"}));
  EXPECT_EQ(bench.exit.code, 0) << bench.out << bench.err;
  EXPECT_THAT(bench.out, HasSubstr("BenchmarkNothing"));
}

TEST_P(TestCommandTest, Coverage) {
  WEIR_ASSERT_OK(const Completed done,
                 weir_test({"-coverprofile=" + file("cover.out"), "./passes"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("coverage: 100.0% of statements"));
  WEIR_ASSERT_OK(const std::string profile, read_text(file("cover.out")));
  EXPECT_THAT(profile, HasSubstr("passes/passes.go"));
}

TEST_P(TestCommandTest, RaceDetector) {
  if (std::system("gcc --version >/dev/null 2>&1") != 0) WEIR_SKIP("no gcc for -race");
  WEIR_ASSERT_OK(const Completed done,
                 weir_test({"-race", "./leaks", "./passes"}, {"CGO_ENABLED=1"}));
  EXPECT_EQ(done.exit.code, 1) << done.out << done.err;
  EXPECT_THAT(done.err, HasSubstr("TestLeaks"));
  EXPECT_THAT(done.out, HasSubstr("ok  \tweir.test/gatecmd/passes"));
}

TEST_P(TestCommandTest, ProfilesAreTakenAndJudged) {
  const std::vector<std::string> kinds = {"block", "mutex", "goroutine", "cpu", "heap"};
  WEIR_ASSERT_OK(const Completed done,
                 weir_test({"-profile=block,mutex,goroutine,cpu,heap",
                            "-weir.json=" + file("r.json"), "-sarif=" + file("r.sarif"),
                            "-junit=" + file("r.xml"), "./contends", "./passes"}));
  EXPECT_EQ(done.exit.code, 1) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("ok  \tweir.test/gatecmd/contends"));
  EXPECT_THAT(done.err, HasSubstr("FAIL mutex: "));
  EXPECT_THAT(done.err, HasSubstr("FAIL block: "));
  EXPECT_THAT(done.err, HasSubstr("contends.wait"));
  EXPECT_THAT(done.err, HasSubstr("in TestHolds"));
  EXPECT_THAT(done.err, Not(HasSubstr("testing.")));
  WEIR_ASSERT_OK(const auto report, read_json(file("r.json")));
  EXPECT_EQ(report["exit_code"], 1);
  std::map<std::string, bool> crossed;
  for (const auto& health : report["health"]) {
    const std::string package = health["source"].get<std::string>();
    crossed[health["kind"].get<std::string>() + " " + package.substr(0, package.find(':'))] =
        health["crossed"];
  }
  EXPECT_EQ(crossed, (std::map<std::string, bool>{{"block weir.test/gatecmd/contends", true},
                                                  {"block weir.test/gatecmd/passes", false},
                                                  {"mutex weir.test/gatecmd/contends", true},
                                                  {"mutex weir.test/gatecmd/passes", false},
                                                  {"goroutine weir.test/gatecmd/contends", false},
                                                  {"goroutine weir.test/gatecmd/passes", false}}));
  WEIR_ASSERT_OK(const auto sarif, read_json(file("r.sarif")));
  std::set<std::string> rules;
  for (const auto& result : sarif["runs"][0]["results"]) {
    rules.insert(result["ruleId"].get<std::string>());
    const auto& place = result["locations"][0]["physicalLocation"];
    EXPECT_EQ(place["artifactLocation"]["uri"], "contends/contends_test.go") << result.dump(2);
    EXPECT_GT(place["region"]["startLine"], 0);
  }
  EXPECT_EQ(rules, (std::set<std::string>{"profile-block", "profile-mutex"}));
  WEIR_ASSERT_OK(const std::string junit, bytes::read_file(file("r.xml")));
  EXPECT_THAT(junit, HasSubstr("<testsuite name=\"weir.test/gatecmd/contends (profiles)\" "
                               "tests=\"3\" failures=\"2\""));
  EXPECT_THAT(junit, HasSubstr("<testsuite name=\"weir.test/gatecmd/passes (profiles)\" "
                               "tests=\"3\" failures=\"0\""));
  for (const std::string& kind : kinds) {
    const std::string path = file("weir-profiles/weir.test_gatecmd_contends/" + kind + ".pb.gz");
    WEIR_ASSERT_OK(const Completed raw, run_go(go(), "", {"tool", "pprof", "-raw", path}));
    EXPECT_EQ(raw.exit.code, 0) << raw.err;
    if (kind != "block") continue;
    EXPECT_THAT(raw.out, HasSubstr("test:[TestHolds]"));
  }
}

TEST_P(TestCommandTest, ProfilesHaveLimits) {
  write(".weir.yaml", "prof:\n  block-wait: 1h\n  mutex-hold: 1h\n");
  WEIR_ASSERT_OK(const Completed done, weir_test({"-profile", "block,mutex", "-profile-folder",
                                                  file("kept"), "./contends"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.err, HasSubstr("all profiles within their limits"));
  EXPECT_TRUE(std::filesystem::exists(file("kept/weir.test_gatecmd_contends/mutex.pb.gz")));
  WEIR_ASSERT_OK(const Completed unknown, weir_test({"-profile=blocks", "./contends"}));
  EXPECT_EQ(unknown.exit.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("\"blocks\" is none of block"));
  WEIR_ASSERT_OK(const Completed twice,
                 weir_test({"-profile=cpu", "-cpuprofile=cpu.out", "./contends"}));
  EXPECT_EQ(twice.exit.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("exclude each other"));
}

TEST_P(TestCommandTest, CodesAndOutputOfGoTest) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"./fails"},
                                                {"./broken"},
                                                {"./passes", "./broken"},
                                                {"./passes"},
                                                {"./nowhere"},
                                                {"-nosuchflag", "./passes"},
                                                {"-run=(", "./passes"}}) {
    SCOPED_TRACE(testing::PrintToString(words));
    WEIR_ASSERT_OK(const Completed alone, go_test(words));
    WEIR_ASSERT_OK(const Completed done, weir_test(words));
    EXPECT_EQ(done.exit, alone.exit) << done.out << done.err << "go test:\n"
                                     << alone.out << alone.err;
  }
}

TEST_P(TestCommandTest, TimeoutIsGoTests) {
  WEIR_ASSERT_OK(const Completed done, weir_test({"-timeout=2s", "./slow"}));
  EXPECT_EQ(done.exit.code, 1);
  EXPECT_THAT(done.out, HasSubstr("panic: test timed out after 2s"));
  EXPECT_THAT(done.err, Not(HasSubstr("can make progress")));
}

TEST_P(TestCommandTest, Baseline) {
  const std::string baseline = "-baseline=" + file("leaks.json");
  WEIR_ASSERT_OK(const Completed none, weir_test({baseline, "./leaks"}));
  EXPECT_EQ(none.exit.code, 2);
  EXPECT_THAT(none.err, HasSubstr("-update-baseline"));
  WEIR_ASSERT_OK(const Completed made, weir_test({baseline, "-update-baseline", "./leaks"}));
  EXPECT_EQ(made.exit.code, 0) << made.out << made.err;
  WEIR_ASSERT_OK(const Completed known, weir_test({baseline, "./leaks", "./passes"}));
  EXPECT_EQ(known.exit.code, 0) << known.out << known.err;
  EXPECT_THAT(known.err, HasSubstr("known"));
  EXPECT_THAT(known.out, HasSubstr("ok  \tweir.test/gatecmd/leaks"));
  WEIR_ASSERT_OK(const Completed strict, weir_test({baseline, "-strict", "./leaks"}));
  EXPECT_EQ(strict.exit.code, 1) << strict.out << strict.err;
  WEIR_ASSERT_OK(const Completed fresh, weir_test({baseline, "./leaks", "./more"}));
  EXPECT_EQ(fresh.exit.code, 1) << fresh.out << fresh.err;
  EXPECT_THAT(fresh.out, HasSubstr("ok  \tweir.test/gatecmd/leaks"));
  EXPECT_THAT(fresh.out, HasSubstr("FAIL\tweir.test/gatecmd/more"));
  // A second update keeps what this run did not look at.
  WEIR_ASSERT_OK(const Completed both, weir_test({baseline, "-update-baseline", "./more"}));
  WEIR_ASSERT_OK(const Completed all, weir_test({baseline, "./leaks", "./more"}));
  EXPECT_EQ(all.exit.code, 0) << all.out << all.err;
}

TEST_P(TestCommandTest, Files) {
  WEIR_ASSERT_OK(const Completed done,
                 weir_test({"-junit", file("leaks.xml"), "-sarif", file("leaks.sarif"),
                            "-weir.json", file("leaks.json"), "./leaks", "./more", "./passes"}));
  EXPECT_EQ(done.exit.code, 1);
  WEIR_ASSERT_OK(const std::string junit, read_text(file("leaks.xml")));
  EXPECT_THAT(junit, testing::StartsWith("<?xml"));
  EXPECT_THAT(junit, HasSubstr("TestLeaks"));
  WEIR_ASSERT_OK(const nlohmann::json sarif, read_json(file("leaks.sarif")));
  EXPECT_EQ(sarif.at("version"), "2.1.0");
  EXPECT_EQ(sarif.at("runs").at(0).at("results").size(), 2);
  const auto& place = sarif.at("runs").at(0).at("results").at(0).at("locations").at(0);
  EXPECT_EQ(place.at("physicalLocation").at("artifactLocation").at("uri"), "leaks/leaks_test.go");
  WEIR_ASSERT_OK(const nlohmann::json report, read_json(file("leaks.json")));
  EXPECT_EQ(report.at("schema"), "weir.test/1");
  EXPECT_EQ(report.at("programs").size(), 3);
  EXPECT_EQ(report.at("failing"), 2);
}

TEST_P(TestCommandTest, AnnotationsOnGitHub) {
  WEIR_ASSERT_OK(const Completed plain, weir_test({"./leaks"}));
  EXPECT_THAT(plain.out + plain.err, Not(HasSubstr("::error")));
  WEIR_ASSERT_OK(const Completed done, weir_test({"./leaks"}, {"GITHUB_ACTIONS=true"}));
  EXPECT_THAT(done.out + done.err, HasSubstr("::error file=leaks/leaks_test.go,line=7,"));
}

TEST_P(TestCommandTest, SettingsFile) {
  write(".weir.yaml", "ignore:\n  created-by: weir.test/gatecmd/leaks.*\n");
  WEIR_ASSERT_OK(const Completed done, weir_test({"./leaks"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  WEIR_ASSERT_OK(const Completed other, weir_test({"./more"}));
  EXPECT_EQ(other.exit.code, 1) << other.err;
  write(".weir.yaml", "setle: 1s\n");
  WEIR_ASSERT_OK(const Completed wrong, weir_test({"./leaks"}));
  EXPECT_EQ(wrong.exit.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("settle"));
  WEIR_ASSERT_OK(const Completed off, weir_test({"./leaks"}, {"WEIR=off"}));
  EXPECT_EQ(off.exit.code, 2) << "a broken file is told in any case";
}

TEST_P(TestCommandTest, Ignoring) {
  for (const char* flag : {"-ignore-any=weir.test/gatecmd/leaks.TestLeaks",
                           "-ignore-top=weir.test/gatecmd/*", "-ignore-created-by=*.TestLeaks"}) {
    WEIR_ASSERT_OK(const Completed done, weir_test({flag, "./leaks"}));
    EXPECT_EQ(done.exit.code, 0) << flag << done.out << done.err;
  }
}

TEST_P(TestCommandTest, Off) {
  WEIR_ASSERT_OK(const Completed alone, go_test({"-count=1", "./leaks"}));
  WEIR_ASSERT_OK(const Completed done, weir_test({"-count=1", "./leaks"}, {"WEIR=off"}));
  EXPECT_EQ(done.exit.code, 0);
  EXPECT_EQ(done.err, alone.err);
}

TEST_P(TestCommandTest, WrongUse) {
  for (const char* flag : {"-settle=x", "-weir.nonsense", "-exec=env", "-update-baseline",
                           "-stuck-after=5", "-top=-1", "-strict=perhaps"}) {
    WEIR_ASSERT_OK(const Completed done, weir_test({flag, "./passes"}));
    EXPECT_EQ(done.exit.code, 2) << flag << "\n" << done.out << done.err;
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr("weir"));
  }
}

// Counts with -v; a clean run says so in one line.
TEST_P(TestCommandTest, CleanRun) {
  WEIR_ASSERT_OK(const Completed done, weir_test({"-count=1", "./passes"}));
  EXPECT_EQ(done.exit.code, 0);
  EXPECT_EQ(done.err, "weir: 1 test binary checked: no goroutine left behind\n");
  WEIR_ASSERT_OK(const Completed verbose, weir_test({"-v", "-count=1", "./passes"}));
  EXPECT_THAT(verbose.out + verbose.err, HasSubstr("TestCovers"));
  EXPECT_THAT(verbose.out, HasSubstr("--- PASS: TestFlags"));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TestCommandTest);
INSTANTIATE_TEST_SUITE_P(, TestCommandTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
