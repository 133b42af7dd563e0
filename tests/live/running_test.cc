// Goroutines that run while weir looks: their threads are on other stacks than their own for
// moments.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using nlohmann::json;
using test_support::Child;
using test_support::Completed;

class RunningTest : public test_support::GoTest {};

std::vector<std::string> functions_of(const json& dump, std::uint64_t id) {
  std::vector<std::string> names;
  for (const json& goroutine : dump.at("goroutines")) {
    if (goroutine.at("id") != id) continue;
    for (const json& frame : dump.at("stacks").at(goroutine.at("stack").get<std::size_t>()))
      names.push_back(frame.at("function"));
  }
  return names;
}

// Nearly all the time it is in the vDSO, so a reader that knows nothing of that finds no stack in
// nearly every look. The bound is for a machine that gives the spinning thread no CPU to stop on.
TEST_P(RunningTest, InTheVdso) {
  for (const bool pie : {false, true}) {
    WEIR_BUILD_GO(program, go(), "clock.go", {.ldflags = "-s -w", .pie = pie});
    WEIR_ASSERT_OK(Child child, Child::start({program}));
    WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
    for (int look = 0; look < 5; ++look) {
      WEIR_ASSERT_OK(const Completed done,
                     test_support::run({WEIR_BINARY, "dump", "-max-stop", "30s", "-json",
                                        std::to_string(child.pid())}));
      ASSERT_EQ(done.exit.code, 0) << done.err;
      const json dump = json::parse(done.out);
      const auto functions = functions_of(dump, 1);
      const auto asks = std::find(functions.begin(), functions.end(), "main.askForever");
      ASSERT_GE(functions.end() - asks, 2) << dump.at("goroutines")[0].dump(1) << done.err;
      EXPECT_EQ(asks[1], "main.main") << dump.at("goroutines")[0].dump(1);
    }
  }
}

WEIR_FOR_EACH_GO(RunningTest);

}  // namespace
}  // namespace weir::live
