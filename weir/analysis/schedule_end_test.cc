#include "weir/analysis/schedule_end.h"

#include <gmock/gmock.h>

namespace weir::analysis {
namespace {

using model::Goroutine;
using model::Schedule;
using model::ScheduleEnd;
using model::Snapshot;
using model::WaitKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Goroutine waiting(std::uint64_t id, WaitKind kind, std::uint64_t object) {
  Goroutine goroutine;
  goroutine.id = Goid{id};
  goroutine.status = model::Status::waiting;
  goroutine.stack = std::make_shared<const model::Stack>();
  goroutine.blocked_on.emplace();
  goroutine.blocked_on->kind = kind;
  goroutine.blocked_on->object = Address{object};
  return goroutine;
}

void does(Schedule& schedule, std::uint64_t id, const char* operation, std::uint32_t object) {
  model::ScheduleStep step;
  step.goroutine = Goid{id};
  step.operation = operation;
  step.object = object;
  schedule.steps.push_back(step);
}

/// Objects 1 and 2 are at 0xc0001000 and 0xc0002000.
Schedule with_two_objects() {
  Schedule schedule;
  schedule.objects = {Address{0xc0001000}, Address{0xc0002000}};
  return schedule;
}

TEST(ScheduleEnd, SeesTheCircleOfTwoLocks) {
  Schedule schedule = with_two_objects();
  does(schedule, 7, "sync.(*Mutex).Lock", 1);
  does(schedule, 8, "sync.(*Mutex).Lock", 2);
  does(schedule, 7, "sync.(*Mutex).Lock", 2);
  does(schedule, 8, "sync.(*Mutex).Lock", 1);
  Snapshot snapshot;
  snapshot.goroutines = {waiting(7, WaitKind::mutex, 0xc0002000),
                         waiting(8, WaitKind::mutex, 0xc0001000)};
  const ScheduleEnd end = schedule_end(schedule, snapshot);
  ASSERT_THAT(end.goroutines, SizeIs(2));
  EXPECT_EQ(end.goroutines[0].waits, "sync.Mutex #2");
  EXPECT_THAT(end.goroutines[0].waits_for, ElementsAre(Goid{8}));
  EXPECT_THAT(end.goroutines[1].waits_for, ElementsAre(Goid{7}));
  EXPECT_THAT(end.cycle, ElementsAre(Goid{7}, Goid{8}));
}

TEST(ScheduleEnd, ALockGivenBackIsNobodys) {
  Schedule schedule = with_two_objects();
  does(schedule, 7, "sync.(*Mutex).Lock", 1);
  does(schedule, 7, "sync.(*Mutex).Unlock", 1);
  does(schedule, 9, "sync.(*Mutex).TryLock", 1);
  Snapshot snapshot;
  snapshot.goroutines = {waiting(8, WaitKind::mutex, 0xc0001000)};
  const ScheduleEnd end = schedule_end(schedule, snapshot);
  ASSERT_THAT(end.goroutines, SizeIs(1));
  EXPECT_THAT(end.goroutines[0].waits_for, IsEmpty());
  EXPECT_THAT(end.cycle, IsEmpty());
}

TEST(ScheduleEnd, WhoWaitsForALockDoesNotHoldIt) {
  Schedule schedule = with_two_objects();
  does(schedule, 7, "sync.(*Mutex).Lock", 1);
  does(schedule, 8, "sync.(*Mutex).Lock", 1);
  does(schedule, 9, "sync.(*Mutex).Lock", 1);
  Snapshot snapshot;
  snapshot.goroutines = {waiting(8, WaitKind::mutex, 0xc0001000),
                         waiting(9, WaitKind::mutex, 0xc0001000)};
  const ScheduleEnd end = schedule_end(schedule, snapshot);
  ASSERT_THAT(end.goroutines, SizeIs(2));
  EXPECT_THAT(end.goroutines[0].waits_for, ElementsAre(Goid{7}));
  EXPECT_THAT(end.goroutines[1].waits_for, ElementsAre(Goid{7}));
  EXPECT_THAT(end.cycle, IsEmpty());
}

TEST(ScheduleEnd, LeavesOutWhoRunsAndTheRuntimesOwn) {
  Snapshot snapshot;
  snapshot.goroutines = {waiting(2, WaitKind::other, 0), waiting(3, WaitKind::other, 0)};
  snapshot.goroutines[0].system = true;
  snapshot.goroutines[1].status = model::Status::runnable;
  EXPECT_THAT(schedule_end(with_two_objects(), snapshot).goroutines, IsEmpty());
}

TEST(PlaceOfFault, IsInTheCycleThenAnyWaiterThenTheLastAct) {
  Schedule schedule;
  schedule.outcome = "deadlock";
  model::ScheduleStep step;
  step.where = {"app.act", "a.go", 1};
  schedule.steps = {step, {}};
  EXPECT_EQ(place_of_fault(schedule, std::nullopt).line, 1);
  model::ScheduleEnd end;
  end.goroutines = {{Goid{1}, "", {"app.wait", "a.go", 2}, {}},
                    {Goid{2}, "", {"app.lock", "a.go", 3}, {}}};
  EXPECT_EQ(place_of_fault(schedule, end).line, 2);
  end.cycle = {Goid{2}};
  EXPECT_EQ(place_of_fault(schedule, end).line, 3);
  schedule.outcome = "panic";
  EXPECT_EQ(place_of_fault(schedule, end).line, 1);
  EXPECT_TRUE(place_of_fault({}, std::nullopt).file.empty());
}

TEST(ScheduleEnd, PutsARaceWhereTheUsersNewerAccessIs) {
  model::Schedule schedule;
  schedule.outcome = "data race";
  model::ScheduleEnd end;
  end.race = {
      {"write", "goroutine 8", {{"sync/atomic.StoreInt32", "s", 9}, {"app.f", "a.go", 3}}, {}},
      {"previous read", "goroutine 7", {}, {}}};
  EXPECT_EQ(place_of_fault(schedule, end).line, 3);
  EXPECT_EQ(race_message(end.race), "write in app.f, previous read in an unknown function");
  end.race[0].stack.pop_back();
  EXPECT_EQ(place_of_fault(schedule, end).line, 9);
}

}  // namespace
}  // namespace weir::analysis
