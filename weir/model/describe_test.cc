#include "weir/model/describe.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

Channel channel(std::uint64_t address, std::string type, std::uint64_t length,
                std::uint64_t capacity) {
  Channel made;
  made.address = Address{address};
  made.element_type = std::move(type);
  made.length = length;
  made.capacity = capacity;
  return made;
}

TEST(Describe, Channels) {
  EXPECT_EQ(describe(channel(0xc000012340, "int", 0, 0)), "chan int 0xc000012340 (unbuffered)");
  EXPECT_EQ(describe(channel(0x10, "", 2, 4)), "chan 0x10 (2 of 4 buffered)");
  Channel closed = channel(0x10, "int", 0, 0);
  closed.closed = true;
  closed.timer = true;
  EXPECT_EQ(describe(closed), "chan int 0x10 (unbuffered, closed, of a timer)");
  EXPECT_EQ(describe(Channel{}), "a nil channel");
}

TEST(Describe, Waits) {
  Blocking wait;
  wait.kind = WaitKind::select;
  wait.cases = {{Direction::send, channel(0x10, "int", 1, 1)},
                {Direction::receive, channel(0x20, "struct {}", 0, 0)}};
  EXPECT_EQ(describe(wait),
            "select of 2: send on chan int 0x10 (1 of 1 buffered); "
            "receive on chan struct {} 0x20 (unbuffered)");
  wait = {};
  wait.kind = WaitKind::io;
  wait.io_direction = Direction::receive;
  wait.fd = 5;
  wait.fd_target = "tcp 127.0.0.1:80";
  EXPECT_EQ(describe(wait), "IO wait: read on fd 5 (tcp 127.0.0.1:80)");
  wait = {};
  wait.kind = WaitKind::mutex;
  wait.unknown_why = "not in the semaphore table";
  EXPECT_EQ(describe(wait), "sync.Mutex, address unknown (not in the semaphore table)");
  wait = {};
  wait.kind = WaitKind::sleep;
  wait.wakes_in = Nanos{1'500'000'000};
  EXPECT_EQ(describe(wait), "sleep, 1.5 s left");
}

TEST(Describe, NoKindIsWithoutWords) {
  for (int kind = 0; kind <= static_cast<int>(WaitKind::other); ++kind) {
    Blocking wait;
    wait.kind = static_cast<WaitKind>(kind);
    EXPECT_FALSE(describe(wait).empty()) << to_string(wait.kind);
  }
}

TEST(Describe, StateIsGosWord) {
  Goroutine g;
  g.status = Status::waiting;
  g.wait_reason = "chan receive";
  EXPECT_EQ(state_of(g), "chan receive");
  g.wait_reason.clear();
  EXPECT_EQ(state_of(g), "waiting");
  g.status = Status::runnable;
  g.wait_reason = "stale";
  EXPECT_EQ(state_of(g), "runnable");
}

TEST(Gate, ExitCodes) {
  GateReport report;
  EXPECT_EQ(exit_code(report), 0);
  ExecResult clean;
  report.programs = {clean};
  EXPECT_EQ(exit_code(report), 0);
  report.programs[0].findings.resize(1);
  EXPECT_EQ(exit_code(report), 1);
  report.programs[0].findings[0].known = true;
  EXPECT_EQ(exit_code(report), 0);
  report.strict = true;
  EXPECT_EQ(exit_code(report), 1);
  report.strict = false;
  report.programs[0].not_checked = "permission denied";
  EXPECT_EQ(exit_code(report), 2);
  report.programs[0].stuck = StuckDiagnosis{};
  report.programs[0].stuck->stuck = true;
  EXPECT_EQ(exit_code(report), 1);
  report.programs[0].child_code = 7;
  EXPECT_EQ(exit_code(report), 7);
}

}  // namespace
}  // namespace weir::model
