#include "weir/analysis/why.h"

#include <gmock/gmock.h>

namespace weir::analysis {
namespace {

using model::Certainty;
using model::DeadlockKind;
using model::Direction;
using model::Goroutine;
using model::Snapshot;
using model::Status;
using model::WaitKind;
using model::WakeRole;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Goroutine waiting(std::uint64_t id, WaitKind kind, const std::string& reason,
                  const std::vector<std::uint64_t>& refers_to) {
  Goroutine goroutine;
  goroutine.id = Goid{id};
  goroutine.status = Status::waiting;
  goroutine.wait_reason = reason;
  goroutine.stack = std::make_shared<const model::Stack>();
  goroutine.blocked_on.emplace();
  goroutine.blocked_on->kind = kind;
  for (const std::uint64_t at : refers_to) goroutine.refers_to.push_back(Address{at});
  return goroutine;
}

Goroutine on_channel(std::uint64_t id, Direction direction, std::uint64_t channel,
                     const std::vector<std::uint64_t>& refers_to) {
  const bool send = direction == Direction::send;
  Goroutine goroutine = waiting(id, send ? WaitKind::channel_send : WaitKind::channel_receive,
                                send ? "chan send" : "chan receive", refers_to);
  goroutine.blocked_on->cases.push_back({direction, {Address{channel}, "int", 0, 0}});
  return goroutine;
}

Goroutine on_mutex(std::uint64_t id, std::uint64_t mutex,
                   const std::vector<std::uint64_t>& refers_to) {
  Goroutine goroutine = waiting(id, WaitKind::mutex, "sync.Mutex.Lock", refers_to);
  goroutine.blocked_on->object = Address{mutex};
  return goroutine;
}

Goroutine on_rwmutex(std::uint64_t id, WaitKind kind, std::uint64_t lock,
                     const std::vector<std::uint64_t>& refers_to) {
  Goroutine goroutine =
      waiting(id, kind, kind == WaitKind::rwmutex_lock ? "sync.RWMutex.Lock" : "sync.RWMutex.RLock",
              refers_to);
  goroutine.blocked_on->object = Address{lock};
  return goroutine;
}

Goroutine asleep(std::uint64_t id, const std::vector<std::uint64_t>& refers_to) {
  Goroutine goroutine = waiting(id, WaitKind::sleep, "sleep", refers_to);
  goroutine.blocked_on->wakes_in = Nanos{1};
  return goroutine;
}

model::WhyReport look(std::vector<Goroutine> goroutines) {
  Snapshot snapshot;
  snapshot.goroutines = std::move(goroutines);
  return why(snapshot);
}

std::vector<std::uint64_t> members(const model::WhyCycle& cycle) {
  std::vector<std::uint64_t> ids;
  for (const model::WhyStep& step : cycle.steps) ids.push_back(step.waiter.value);
  return ids;
}

TEST(Why, FindsARing) {
  const auto report = look({on_channel(7, Direction::send, 0xa0, {0xa0, 0xc0}),
                            on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0}),
                            on_channel(9, Direction::send, 0xc0, {0xb0, 0xc0}), asleep(1, {})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_THAT(members(report.cycles[0]), ElementsAre(7, 8, 9));
  EXPECT_EQ(report.cycles[0].certainty, Certainty::likely);
  EXPECT_EQ(report.deadlock, DeadlockKind::partial);
  EXPECT_THAT(report.runtime_silent, testing::HasSubstr("goroutine 1 sleeps"));
}

TEST(Why, FindsLocksTakenInOppositeOrder) {
  const auto report = look({on_mutex(2, 0x20, {0x10, 0x20}), on_mutex(3, 0x10, {0x10, 0x20})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_EQ(report.cycles[0].steps[0].role, WakeRole::owner);
  EXPECT_THAT(report.cycles[0].shape, testing::HasSubstr("AB-BA"));
  EXPECT_EQ(report.deadlock, DeadlockKind::global);
}

TEST(Why, FindsAReadLockTakenAgain) {
  const auto report = look({on_rwmutex(2, WaitKind::rwmutex_rlock, 0x20, {0x20}),
                            on_rwmutex(3, WaitKind::rwmutex_lock, 0x20, {0x20}), asleep(1, {})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_THAT(members(report.cycles[0]), ElementsAre(2, 3));
  EXPECT_THAT(report.cycles[0].shape, testing::HasSubstr("read lock is taken again"));
  EXPECT_THAT(look({on_rwmutex(2, WaitKind::rwmutex_rlock, 0x20, {0x20}),
                    on_rwmutex(3, WaitKind::rwmutex_lock, 0x20, {0x20}), asleep(1, {0x20})})
                  .cycles,
              IsEmpty())
      << "goroutine 1 may hold the read lock that the writer waits for";
  EXPECT_THAT(look({on_rwmutex(2, WaitKind::rwmutex_rlock, 0x20, {0x20}),
                    on_rwmutex(3, WaitKind::rwmutex_rlock, 0x20, {0x20})})
                  .cycles,
              IsEmpty())
      << "two readers do not wait for each other";
}

TEST(Why, FindsALockHeldDuringASend) {
  const auto report =
      look({on_channel(7, Direction::send, 0xa0, {0xa0, 0x20}), on_mutex(8, 0x20, {0xa0, 0x20})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_THAT(report.cycles[0].shape, testing::HasSubstr("channel operation"));
}

TEST(Why, NamesWhoKeepsGosOwnCheckSilent) {
  Goroutine listener = waiting(5, WaitKind::other, "", {});
  listener.status = Status::syscall;
  listener.start_function = "os/signal.loop";
  model::Frame receives;
  receives.function = "os/signal.signal_recv";
  listener.stack = std::make_shared<const model::Stack>(model::Stack{receives});
  const auto report = look({on_mutex(2, 0x20, {0x20}), listener});
  EXPECT_EQ(report.deadlock, DeadlockKind::global);
  EXPECT_THAT(report.runtime_silent, testing::HasSubstr("goroutine 5"));
}

TEST(Why, WhoeverCanGoOnMayWake) {
  EXPECT_THAT(look({on_channel(7, Direction::send, 0xa0, {0xa0, 0xb0}),
                    on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0}), asleep(1, {0xa0})})
                  .cycles,
              IsEmpty())
      << "goroutine 1 may receive from 0xa0, then 7 may receive from 0xb0";
  EXPECT_THAT(look({on_channel(7, Direction::receive, 0xa0, {0xa0}),
                    on_channel(8, Direction::receive, 0xa0, {0xa0})})
                  .cycles,
              IsEmpty())
      << "two receivers do not wait for each other";
}

TEST(Why, SeveralThatCouldWakeMakeItPossibleOnly) {
  const auto report = look({on_channel(7, Direction::send, 0xa0, {0xa0, 0xb0}),
                            on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0}),
                            on_channel(9, Direction::send, 0xb0, {0xa0, 0xb0}), asleep(1, {})});
  ASSERT_FALSE(report.cycles.empty());
  EXPECT_EQ(report.cycles[0].certainty, Certainty::possible);
}

TEST(Why, NothingWakesASelectWithoutCases) {
  const auto report =
      look({waiting(5, WaitKind::select_no_cases, "select (no cases)", {}), asleep(1, {})});
  ASSERT_THAT(report.objects, SizeIs(1));
  EXPECT_TRUE(report.objects[0].never);
  EXPECT_EQ(report.deadlock, DeadlockKind::none) << "it is one goroutine's own end, not a circle";
}

TEST(Why, TheRuntimesOwnAreNobody) {
  Goroutine collector = waiting(2, WaitKind::other, "GC worker (idle)", {0xa0});
  collector.system = true;
  const auto report = look({collector, on_channel(7, Direction::send, 0xa0, {0xa0})});
  ASSERT_THAT(report.objects, SizeIs(1));
  EXPECT_THAT(report.objects[0].wakers, IsEmpty());
  EXPECT_THAT(report.goroutines, SizeIs(1));
}

}  // namespace
}  // namespace weir::analysis
