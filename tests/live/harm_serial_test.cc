// The target is never harmed: weir looks at a program that counts everything it does, again and
// again, and is killed at all moments; at its end the program finds nothing lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using test_support::Child;
using test_support::Completed;
using namespace std::chrono_literals;

/// WEIR_HARM_ROUNDS=1000 for a long run.
int rounds() {
  const char* wanted = std::getenv("WEIR_HARM_ROUNDS");
  return wanted == nullptr ? 50 : std::max(std::atoi(wanted), 1);
}

class HarmTest : public test_support::GoTest {
 protected:
  /// Ends the program and holds what it says of itself against "nothing was lost".
  static void expect_unharmed(Child& child) {
    ASSERT_TRUE(child.running()) << child.out() << child.err();
    ASSERT_TRUE(child.signal(SIGTERM));
    WEIR_ASSERT_OK(const auto exit, child.wait(test_support::Seconds(60)));
    EXPECT_EQ(exit.code, 0) << to_string(exit) << "\n" << child.out() << child.err();
    EXPECT_NE(child.out().find("consistent"), std::string::npos) << child.out();
  }
};

TEST_P(HarmTest, ManyDumps) {
  WEIR_BUILD_GO(program, go(), "busy", {.cgo = true});
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const int dumps = rounds();
  int whole = 0;
  for (int i = 0; i < dumps; ++i) {
    const char* mode = i % 2 == 0 ? "-light" : "-light=false";
    WEIR_ASSERT_OK(const Completed done,
                   test_support::run({WEIR_BINARY, "dump", mode, std::to_string(child.pid())}));
    ASSERT_EQ(done.exit.code, 0) << done.err;
    whole += done.err.find("partial") == std::string::npos ? 1 : 0;
  }
  EXPECT_GT(whole, dumps / 2);
  expect_unharmed(child);
}

// Killed a little later each time, so that every step of a dump is the last one once.
TEST_P(HarmTest, KilledAtEveryStep) {
  WEIR_BUILD_GO(program, go(), "busy", {});
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const std::string pid = std::to_string(child.pid());
  const auto begun = std::chrono::steady_clock::now();
  WEIR_ASSERT_OK(const Completed one, test_support::run({WEIR_BINARY, "dump", pid}));
  const auto length = std::chrono::steady_clock::now() - begun;
  const int kills = rounds();
  int cut_short = 0;
  for (int i = 0; i < kills; ++i) {
    WEIR_ASSERT_OK(Child dump, Child::start({WEIR_BINARY, "dump", pid}));
    std::this_thread::sleep_for(length * i / kills);
    if (dump.signal(i % 4 == 0 ? SIGINT : SIGKILL)) ++cut_short;
    ASSERT_TRUE(dump.wait().has_value());
  }
  EXPECT_GT(cut_short, kills / 2);
  expect_unharmed(child);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HarmTest);
INSTANTIATE_TEST_SUITE_P(, HarmTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
