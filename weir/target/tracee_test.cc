#include "weir/target/tracee.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace weir::target {
namespace {

std::unique_ptr<Tracee> start(const std::string& script, bool traced = true) {
  auto tracee = Tracee::launch({{"sh", "-c", script}, {"PATH=/usr/bin:/bin"}, traced});
  EXPECT_TRUE(tracee) << to_string(tracee.error());
  return tracee ? std::move(*tracee) : nullptr;
}

int run_to_end(Tracee& tracee) {
  while (true) {
    const TraceeEvent event = tracee.next(std::nullopt);
    if (event.kind == TraceeEvent::Kind::ended) return event.wait_status;
    EXPECT_TRUE(tracee.resume(event.thread));
  }
}

class TracedOrNot : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Tracee, TracedOrNot, testing::Bool());

TEST_P(TracedOrNot, KeepsTheExitCode) {
  EXPECT_EQ(WEXITSTATUS(run_to_end(*start("exit 0", GetParam()))), 0);
  EXPECT_EQ(WEXITSTATUS(run_to_end(*start("exit 7", GetParam()))), 7);
}

TEST_P(TracedOrNot, KeepsTheDeathBySignal) {
  const int status = run_to_end(*start("kill -TERM $$; sleep 9", GetParam()));
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_P(TracedOrNot, DeliversSignalsToHandlers) {
  EXPECT_EQ(
      WEXITSTATUS(run_to_end(*start("trap 'exit 5' USR1; kill -USR1 $$; exit 1", GetParam()))), 5);
}

TEST_P(TracedOrNot, RelaysASignalSentToWeir) {
  const auto tracee =
      start("trap 'exit 6' TERM; kill -TERM $PPID; while :; do sleep 0.01; done", GetParam());
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 6);
}

TEST_P(TracedOrNot, SaysWhenTheProgramCannotBeExecuted) {
  const auto missing = Tracee::launch({{"/no/such/program"}, {}, GetParam()});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  const auto folder = Tracee::launch({{"/"}, {}, GetParam()});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::denied);
}

TEST(Tracee, TheFirstEventIsTheExec) {
  const auto tracee = start("exit 0");
  EXPECT_EQ(tracee->next(std::nullopt).kind, TraceeEvent::Kind::exec);
}

TEST(Tracee, AStoppedProgramStaysStoppedUntilContinued) {
  // The helper continues the program a while after it stopped itself.
  const auto tracee = start("(sleep 0.3; kill -CONT $$) & kill -STOP $$; wait; exit 3");
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 3);
}

TEST(Tracee, StopsAndResumesAStoppedProgram) {
  const auto tracee = start("(sleep 0.5; kill -CONT $$) & kill -STOP $$; wait; exit 4");
  ASSERT_TRUE(tracee->resume(tracee->next(std::nullopt).thread));
  tracee->next(Tracee::Clock::now() + std::chrono::milliseconds(200));
  ASSERT_TRUE(tracee->stop_all());
  tracee->resume_all();
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 4);
}

TEST(Tracee, SendsOneSignalOnceWhenTheWholeGroupGetsIt) {
  // Killing the group reaches weir (this test) and the child: the child must count one.
  const pid_t outer = fork();
  ASSERT_GE(outer, 0);
  if (outer == 0) {
    setpgid(0, 0);
    const auto tracee = start(
        "n=0; trap 'n=$((n+1))' USR1; (sleep 0.2; trap '' USR1; kill -USR1 0); sleep 0.4; exit $n");
    _exit(WEXITSTATUS(run_to_end(*tracee)));
  }
  int status = 0;
  waitpid(outer, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST(Tracee, ChildrenOfTheChildAreNotTraced) {
  const auto tracee = start("grep TracerPid /proc/self/status | grep -q '[[:space:]]0$'");
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 0);
}

TEST(Tracee, AnotherExecIsAnEvent) {
  const auto tracee = start("exec sh -c 'exit 8'");
  ASSERT_TRUE(tracee->resume(tracee->next(std::nullopt).thread));
  const TraceeEvent second = tracee->next(std::nullopt);
  EXPECT_EQ(second.kind, TraceeEvent::Kind::exec);
  ASSERT_TRUE(tracee->resume(second.thread));
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 8);
}

TEST(Tracee, DetachLeavesItRunning) {
  const auto tracee = start("sleep 0.2; grep -q 'TracerPid:[[:space:]]0$' /proc/$$/status");
  ASSERT_TRUE(tracee->resume(tracee->next(std::nullopt).thread));
  ASSERT_TRUE(tracee->detach());
  EXPECT_EQ(WEXITSTATUS(run_to_end(*tracee)), 0);
}

}  // namespace
}  // namespace weir::target
