// `weir test -explore`: after the tests themselves, their schedules; what is found fails the run,
// and lies in a file that replays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using nlohmann::json;
using test_support::Completed;
using testing::HasSubstr;

/// Close against send: never seen by a plain run, which lets the sender block first.
constexpr const char* source = R"(package ordered

import (
	"sync"
	"testing"
)

func closeAndSend(safe bool) {
	var mu sync.Mutex
	closed := false
	items := make(chan int, 1)
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		mu.Lock()
		ok := !closed
		if !safe {
			mu.Unlock()
			mu.Lock()
		}
		if ok {
			items <- 1
		}
		mu.Unlock()
	}()
	mu.Lock()
	closed = true
	close(items)
	mu.Unlock()
	wg.Wait()
}

func TestOrdered(t *testing.T) { closeAndSend(false) }
func TestSafe(t *testing.T)    { closeAndSend(true) }
func TestShort(t *testing.T) {
	if !testing.Short() {
		t.Fatal("only for -short")
	}
}
)";

class ExploreGate : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = test_support::find_newest_go_toolchain();
    if (!found) WEIR_SKIP("no Go toolchain");
    go_ = *found;
    std::ofstream(folder_ / "go.mod") << "module example.com/ordered\n\ngo 1.19\n";
    std::ofstream(folder_ / "ordered_test.go") << source;
  }
  test_support::GoToolchain go_;
  TemporaryFolder folder_;
};

TEST_F(ExploreGate, FailsTheRunAndLeavesAReplay) {
  WEIR_ASSERT_OK(
      const Completed done,
      run_weir_test(go_, folder_.path(),
                    {"-explore", "1m", "-weir.json", folder_ / "weir.json", "-junit",
                     folder_ / "weir.xml", "-sarif", folder_ / "weir.sarif", "-short", "./..."}));
  EXPECT_EQ(done.exit.code, 1) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("ok  \texample.com/ordered"));
  EXPECT_THAT(done.err, HasSubstr("weir: 3 tests explored in"));
  EXPECT_THAT(done.err, HasSubstr("TestOrdered: panic: panic: send on closed channel"));
  WEIR_ASSERT_OK(const json report, read_json(folder_ / "weir.json"));
  EXPECT_EQ(report["exit_code"], 1);
  ASSERT_EQ(report["explored"].size(), 3u) << report.dump(1);
  EXPECT_EQ(report["explored"][0]["outcome"], "panic");
  EXPECT_FALSE(report["explored"][1].contains("outcome"));
  EXPECT_FALSE(report["explored"][2].contains("outcome")) << "-short did not reach the test";
  WEIR_ASSERT_OK(const std::string xml, read_text(folder_ / "weir.xml"));
  EXPECT_THAT(xml, HasSubstr("name=\"TestOrdered: schedules\">\n      <failure"));
  WEIR_ASSERT_OK(const json sarif, read_json(folder_ / "weir.sarif"));
  EXPECT_EQ(sarif["runs"][0]["results"][0]["ruleId"], "explore-panic");
  const std::string schedule = report["explored"][0]["schedule_file"];
  WEIR_ASSERT_OK(const Completed replay,
                 run_weir(go_, folder_.path(), {"replay", "-go", go_.go(), folder_ / schedule}));
  EXPECT_EQ(replay.exit.code, 0) << replay.out << replay.err;
}

// The same goroutine has the same fingerprint under weir's scheduler as at the end of a plain run.
TEST_F(ExploreGate, KnowsTheLeaksOfTheBaseline) {
  std::ofstream(folder_ / "leaves_test.go")
      << "package ordered\n\nimport \"testing\"\n\nfunc TestLeaves(t *testing.T) {\n"
         "\titems := make(chan int)\n\tgo func() { items <- 1 }()\n}\n";
  const std::vector<std::string> known{"-baseline", folder_ / "known.json", "-run", "Leaves"};
  const auto with = [&known](std::vector<std::string> words) {
    words.insert(words.end(), known.begin(), known.end());
    return words;
  };
  WEIR_ASSERT_OK(const Completed made,
                 run_weir_test(go_, folder_.path(), with({"-update-baseline"})));
  EXPECT_EQ(made.exit.code, 0) << made.out << made.err;
  WEIR_ASSERT_OK(const Completed soft,
                 run_weir_test(go_, folder_.path(), with({"-explore", "5s"})));
  EXPECT_EQ(soft.exit.code, 0) << soft.out << soft.err;
  WEIR_ASSERT_OK(const Completed strict,
                 run_weir_test(go_, folder_.path(), with({"-explore", "5s", "-strict"})));
  EXPECT_EQ(strict.exit.code, 1) << strict.out << strict.err;
  EXPECT_THAT(strict.err, HasSubstr("TestLeaves: leak: goroutine"));
  WEIR_ASSERT_OK(const std::string baseline, read_text(folder_ / "known.json"));
  const auto at = strict.err.find("fingerprint ");
  ASSERT_NE(at, std::string::npos) << strict.err;
  EXPECT_THAT(baseline, HasSubstr(strict.err.substr(at + 12, 16)));
}

TEST_F(ExploreGate, IsCleanWithoutAFault) {
  std::vector<std::string> arguments{"-explore", "1m", "-run", "Safe"};
  if (go_.minor >= 20) arguments = {"-explore", "1m", "-run", "Ordered|Safe", "-skip", "Ordered"};
  WEIR_ASSERT_OK(const Completed done, run_weir_test(go_, folder_.path(), arguments));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.err, HasSubstr("weir: 1 test explored in"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "weir-schedules"));
}

}  // namespace
}  // namespace weir::live
