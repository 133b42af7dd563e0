// Programs in namespaces of their own, as containers are made of: another pid namespace, where the
// runtime knows its threads by other numbers, and another mount namespace, where the executable's
// path means nothing here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using test_support::Child;
using test_support::Completed;

/// The pids of the children of process `pid`, as this namespace numbers them.
std::vector<std::string> children_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  return {std::istream_iterator<std::string>(file), {}};
}

/// The goroutine's block in a dump: from `header` to the blank line.
std::string block_of(const std::string& dump, const std::string& header) {
  const auto at = dump.find(header);
  return at == dump.npos ? "" : dump.substr(at, dump.find("\n\n", at) - at);
}

class ContainerTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_ASSERT_OK(const Completed tried,
                   test_support::run({"unshare", "--pid", "--fork", "--mount", "true"}));
    if (tried.exit.code != 0) WEIR_SKIP("namespaces cannot be made here: " + tried.err);
  }

  static Completed dump(const std::string& pid) {
    auto done = test_support::run({WEIR_BINARY, "dump", pid});
    EXPECT_TRUE(done.has_value());
    return done ? std::move(*done) : Completed{};
  }
};

// A goroutine that runs is found through its thread, which the runtime knows as 1, 2, 3 ….
TEST_P(ContainerTest, RunningGoroutinesOfAnotherPidNamespace) {
  WEIR_BUILD_GO(program, go(), "spinner.go", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, Child::start({"unshare", "--pid", "--fork", "--kill-child", "--mount",
                                            "--mount-proc", program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const auto inside = children_of(child.pid());
  ASSERT_EQ(inside.size(), 1u);
  const Completed done = dump(inside[0]);
  EXPECT_EQ(done.exit.code, 0) << done.err;
  const std::string spins = block_of(done.out, "[running]");
  EXPECT_NE(spins.find("main.spin("), std::string::npos) << done.out;
  EXPECT_NE(spins.find("created by main.main"), std::string::npos) << done.out;
}

TEST_P(ContainerTest, ExecutableOfAnotherMountNamespace) {
  WEIR_BUILD_GO(program, go(), "parked", {.ldflags = "-s -w"});
  const std::string script =
      "mount -t tmpfs none /mnt && cp '" + program + "' /mnt/inside && exec /mnt/inside -n 20";
  WEIR_ASSERT_OK(Child child, Child::start({"unshare", "--mount", "sh", "-c", script}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  ASSERT_FALSE(fs::exists("/mnt/inside"));
  const Completed done = dump(std::to_string(child.pid()));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_NE(block_of(done.out, "goroutine 1 [").find("main.main("), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("main.descend("), std::string::npos) << done.out;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ContainerTest);
INSTANTIATE_TEST_SUITE_P(, ContainerTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
