// The oracle: `weir dump` of a program that holds every kind of wait, against the program's own
// traceback (SIGQUIT, GOTRACEBACK=system) taken right after, and against what the program says each
// goroutine waits on. Every toolchain × every way to build.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/live/expectations.h"
#include "tests/live/observed.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using test_support::BuildOptions;
using test_support::Child;
using test_support::Completed;
using test_support::GoToolchain;

struct Build {
  std::string name;
  BuildOptions options;
};

const std::vector<Build>& builds() {
  static const std::vector<Build> list = {
      {"default", {}},
      {"stripped", {.ldflags = "-s -w"}},
      {"pie_stripped", {.ldflags = "-s -w", .pie = true}},
      {"cgo", {.cgo = true}},
      {"no_sections", {.ldflags = "-s -w", .strip_sections = true}},
  };
  return list;
}

using Case = std::tuple<GoToolchain, Build>;

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return std::get<0>(info.param).test_name() + "_" + std::get<1>(info.param).name;
}

void PrintTo(const Case& one, std::ostream* out) {
  *out << "go" << std::get<0>(one).version << " " << std::get<1>(one).name;
}

/// The table at the end of a run, and a row of it in the build folder for each case, since ctest
/// runs each case on its own.
class Table : public testing::Environment {
 public:
  void add(const Case& one, const std::string& result) {
    const std::string row = fmt::format("{:<10} {:<14} {}", "go" + std::get<0>(one).version,
                                        std::get<1>(one).name, result);
    rows_.push_back(row);
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string file = info->name();
    std::replace(file.begin(), file.end(), '/', '-');
    std::filesystem::create_directories(WEIR_BUILD_DIR "/oracle");
    std::ofstream(WEIR_BUILD_DIR "/oracle/" + file + ".row") << row << "\n";
  }
  void TearDown() override {
    for (const std::string& row : rows_) fmt::print("oracle: {}\n", row);
  }

 private:
  std::vector<std::string> rows_;
};

Table* const table = [] {
  auto* made = new Table;  // GoogleTest owns it
  testing::AddGlobalTestEnvironment(made);
  return made;
}();

class OracleTest : public testing::TestWithParam<Case> {
 protected:
  static const GoToolchain& go() { return std::get<0>(GetParam()); }
  static const BuildOptions& options() { return std::get<1>(GetParam()).options; }
};

Result<Completed> run_weir_dump(pid_t pid, std::vector<std::string> flags) {
  std::vector<std::string> command{WEIR_BINARY, "dump"};
  command.insert(command.end(), flags.begin(), flags.end());
  command.push_back(std::to_string(pid));
  WEIR_TRY(Completed done, test_support::run(command));
  if (done.exit.code != 0)
    return fail(ErrorCode::invalid, fmt::format("{}: {}", to_string(done.exit), done.err));
  return done;
}

std::string list_first(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 20); ++i) text += lines[i] + "\n";
  return text;
}

TEST_P(OracleTest, TracebackIsTheRuntimesOwn) {
  WEIR_BUILD_GO(program, go(), "everywait", options());
  WEIR_ASSERT_OK(Child child,
                 Child::start({program, "-spin=0"}, {.environment = {"GOTRACEBACK=system"}}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const Completed dump, run_weir_dump(child.pid(), {"-system"}));
  ASSERT_TRUE(child.signal(SIGQUIT));
  WEIR_ASSERT_OK(const auto exit, child.wait());
  EXPECT_EQ(to_string(exit), "exit 2");
  const ObservedDump truth = observe(child.err());
  ASSERT_GE(truth.size(), 95u) << child.err();
  const Comparison result = compare(truth, observe(dump.out));
  table->add(GetParam(), fmt::format("traceback: {}/{} goroutines equal, {} frames", result.equal,
                                     result.goroutines, result.frames));
  EXPECT_TRUE(result.differences.empty()) << list_first(result.differences);
}

/// Without the goroutines that the signal moved between the two dumps.
ObservedDump without_signal_handling(ObservedDump dump) {
  std::erase_if(dump, [](const auto& entry) {
    const auto& frames = entry.second.frames;
    return std::any_of(frames.begin(), frames.end(), [](const ObservedFrame& frame) {
      return frame.function.starts_with("os/signal.") ||
             frame.function.starts_with("main.panicOnSignal");
    });
  });
  return dump;
}

/// Before Go 1.21 a traceback ends after 100 frames, and says so only when none of them was hidden
/// (traceback1, src/runtime/traceback.go).
void mark_silent_cuts(ObservedDump& dump, const ObservedDump& seen) {
  for (auto& [id, goroutine] : dump)
    if (goroutine.frames.size() >= 90 && !goroutine.elided_at && seen.contains(id) &&
        seen.at(id).frames.size() > 100)
      goroutine.elided_at = goroutine.frames.size();
}

// What Go hides at its default level, weir hides too.
TEST_P(OracleTest, ShowsWhatTheRuntimeShows) {
  if (std::get<1>(GetParam()).name != "default") return;  // hiding does not depend on the build
  WEIR_BUILD_GO(program, go(), "everywait", options());
  WEIR_ASSERT_OK(Child child, Child::start({program, "-spin=0", "-panic"},
                                           {.environment = {"GOTRACEBACK=all"}}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const Completed dump, run_weir_dump(child.pid(), {"-plain"}));
  ASSERT_TRUE(child.signal(SIGUSR2));
  ASSERT_TRUE(child.wait().has_value());
  ObservedDump truth = without_signal_handling(observe(child.err()));
  const ObservedDump seen = without_signal_handling(observe(dump.out));
  ASSERT_GE(truth.size(), 85u) << child.err();
  if (go().minor < 21) mark_silent_cuts(truth, seen);
  const Comparison result = compare(truth, seen);
  table->add(GetParam(), fmt::format("shown: {}/{} goroutines equal, {} frames", result.equal,
                                     result.goroutines, result.frames));
  EXPECT_TRUE(result.differences.empty()) << list_first(result.differences);
}

TEST_P(OracleTest, BlockingObjectsAreWhatTheProgramSays) {
  WEIR_BUILD_GO(program, go(), "everywait", options());
  WEIR_ASSERT_OK(Child child, Child::start({program, "-spin=1"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const Completed dump, run_weir_dump(child.pid(), {"-json"}));
  const auto taken_at =
      std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  const auto document = nlohmann::json::parse(dump.out, nullptr, false);
  ASSERT_FALSE(document.is_discarded()) << dump.out.substr(0, 1000);
  std::map<std::string, nlohmann::json> by_id;
  for (const auto& goroutine : document.at("goroutines"))
    by_id[std::to_string(goroutine.at("id").get<std::uint64_t>())] = goroutine;
  std::vector<std::string> wrong;
  const auto expectations = parse_expectations(child.out());
  ASSERT_GE(expectations.size(), 80u);
  std::size_t right = 0;
  for (const Expectation& expectation : expectations) {
    const auto found = by_id.find(expectation.fields.at("goid"));
    const auto problems = found == by_id.end()
                              ? std::vector<std::string>{"no such goroutine"}
                              : check_expectation(expectation, found->second, taken_at);
    if (problems.empty()) ++right;
    for (const std::string& problem : problems) wrong.push_back(expectation.name + ": " + problem);
  }
  table->add(GetParam(), fmt::format("blocked on: {}/{} cases as the program says", right,
                                     expectations.size()));
  EXPECT_TRUE(wrong.empty()) << list_first(wrong);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OracleTest);
INSTANTIATE_TEST_SUITE_P(, OracleTest,
                         testing::Combine(testing::ValuesIn(test_support::find_go_toolchains()),
                                          testing::ValuesIn(builds())),
                         case_name);

// The comparison itself must be able to fail.
TEST(Compare, SeesEveryKindOfDifference) {
  const std::string text =
      "goroutine 1 [select, locked to thread]:\nmain.f(...)\n\t/a.go:1\nmain.main()\n\t/a.go:2 "
      "+0x5\n\n"
      "goroutine 2 [idle]:\nmain.g()\n\t/a.go:3 +0x1\ncreated by main.main in goroutine "
      "1\n\t/a.go:4 +0x9\n";
  const auto differences = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    if (!from.empty()) changed.replace(changed.find(from), from.size(), to);
    return compare(observe(text), observe(changed)).differences.size();
  };
  EXPECT_EQ(differences("", ""), 0u);
  EXPECT_EQ(differences("select", "sleep"), 1u);
  EXPECT_EQ(differences(", locked to thread", ""), 1u);
  EXPECT_EQ(differences("main.f(...)\n\t/a.go:1\n", ""), 1u);
  EXPECT_EQ(differences("main.f(...)", "main.f()"), 1u);
  EXPECT_EQ(differences("/a.go:2", "/a.go:3"), 1u);
  EXPECT_EQ(differences("+0x5", "+0x6"), 1u);
  EXPECT_EQ(differences("in goroutine 1", "in goroutine 3"), 1u);
  EXPECT_EQ(differences("goroutine 2 [", "goroutine 3 ["), 2u);
}

TEST(Compare, FitsElidedFrames) {
  const auto frames = [](int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += fmt::format("main.f()\n\t/a.go:{} +0x1\n", i);
    return text;
  };
  const ObservedDump truth =
      observe("goroutine 1 [select]:\n" + frames(0, 3) + "...4 frames elided...\n" + frames(7, 9));
  EXPECT_TRUE(
      compare(truth, observe("goroutine 1 [select]:\n" + frames(0, 9))).differences.empty());
  EXPECT_FALSE(
      compare(truth, observe("goroutine 1 [select]:\n" + frames(0, 8))).differences.empty());
  const ObservedDump old =
      observe("goroutine 1 [select]:\n" + frames(0, 3) + "...additional frames elided...\n");
  EXPECT_TRUE(compare(old, observe("goroutine 1 [select]:\n" + frames(0, 9))).differences.empty());
  EXPECT_FALSE(compare(old, observe("goroutine 1 [select]:\n" + frames(0, 3))).differences.empty());
}

TEST(Expectations, AreReadAndCanFail) {
  const auto list = parse_expectations(
      "noise\n"
      "expect a kind=channel_receive addr=0x10 len=0 cap=2 closed=false elem=\"struct { A int }\" "
      "label.q=\"say \\\"hi\\\"\" goid=7\nready\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].fields.at("elem"), "struct { A int }");
  EXPECT_EQ(list[0].fields.at("label.q"), "say \"hi\"");
  auto goroutine = nlohmann::json::parse(R"({"id": 7, "status": "waiting",
      "labels": {"case": "a", "q": "say \"hi\""},
      "blocked_on": {"kind": "channel_receive", "cases": [{"direction": "receive",
        "channel": "0x10", "element_type": "struct { A int }", "length": 0, "capacity": 2}]}})");
  EXPECT_TRUE(check_expectation(list[0], goroutine, 0).empty());
  goroutine["blocked_on"]["cases"][0]["channel"] = "0x20";
  goroutine["labels"]["q"] = "no";
  EXPECT_EQ(check_expectation(list[0], goroutine, 0).size(), 2u);
}

}  // namespace
}  // namespace weir::live
