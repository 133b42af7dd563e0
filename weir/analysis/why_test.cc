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

/// os/signal's receiver.
Goroutine listening(std::uint64_t id) {
  Goroutine goroutine = waiting(id, WaitKind::other, "", {});
  goroutine.status = Status::syscall;
  goroutine.start_function = "os/signal.loop";
  model::Frame receives;
  receives.function = "os/signal.signal_recv";
  goroutine.stack = std::make_shared<const model::Stack>(model::Stack{receives});
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
  EXPECT_THAT(report.runtime_check.text, testing::HasSubstr("goroutine 1 sleeps"));
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
  const auto report = look({on_mutex(2, 0x20, {0x20}), listening(5)});
  EXPECT_EQ(report.deadlock, DeadlockKind::global);
  EXPECT_THAT(report.runtime_check.text, testing::HasSubstr("goroutine 5"));
}

// The start of many servers: main waits for another goroutine, and that one for a signal.
TEST(Why, WhoWaitsForASignalCanGoOn) {
  Goroutine handler = on_channel(7, Direction::receive, 0xa0, {0xa0, 0xb0});
  handler.blocked_on->cases[0].channel.element_type = "os.Signal";
  const Goroutine main = on_channel(1, Direction::receive, 0xb0, {0xa0, 0xb0});
  const auto report = look({main, handler, listening(5)});
  EXPECT_THAT(report.cycles, IsEmpty());
  EXPECT_EQ(report.deadlock, DeadlockKind::none);
  EXPECT_THAT(report.can_go_on, ElementsAre(testing::HasSubstr("waits for a signal")));
  EXPECT_THAT(look({main, handler}).cycles, SizeIs(1)) << "nobody calls signal.Notify";
}

TEST(Why, WhoHasRunSinceCanGoOn) {
  std::vector<Goroutine> two{on_channel(7, Direction::send, 0xa0, {0xa0, 0xb0}),
                             on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0})};
  EXPECT_EQ(look(two).deadlock, DeadlockKind::global);
  two[1].ran_since = true;
  const auto report = look(two);
  EXPECT_THAT(report.cycles, IsEmpty());
  EXPECT_EQ(report.deadlock, DeadlockKind::none);
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
  ASSERT_THAT(report.objects, SizeIs(2));
  EXPECT_TRUE(report.objects[0].never);
  EXPECT_EQ(report.deadlock, DeadlockKind::none) << "it is one goroutine's own end, not a circle";
}

model::HeldLock holding(std::uint64_t object, int line) {
  return {WaitKind::mutex, Address{object}, "main.f", "/src/a.go", line};
}

TEST(Why, CodeTellsWhoHoldsALock) {
  Goroutine holder = on_channel(3, Direction::receive, 0xc0, {0x20, 0xc0});
  holder.holds = {holding(0, 7)};
  // Goroutine 4 has the lock on its stack, too, but is not between Lock and Unlock.
  const auto report = look({on_mutex(2, 0x20, {0x20, 0xc0}), holder,
                            on_channel(4, Direction::receive, 0xd0, {0x20}), asleep(1, {0x20})});
  ASSERT_THAT(report.cycles, SizeIs(1)) << "whoever has only the address does not unlock it";
  EXPECT_THAT(members(report.cycles[0]), ElementsAre(2, 3));
  EXPECT_EQ(report.cycles[0].steps[0].role, WakeRole::owner);
  EXPECT_EQ(report.cycles[0].steps[0].because, "it is in main.f, between Lock (a.go:7) and Unlock");
  EXPECT_EQ(report.cycles[0].certainty, Certainty::likely);
}

TEST(Why, ALockThatIsAVariableIsNamedByTheCode) {
  Goroutine a = on_mutex(2, 0x20, {}), b = on_mutex(3, 0x10, {});
  a.holds = {holding(0x10, 7)};
  b.holds = {holding(0x20, 9)};
  const auto report = look({a, b, asleep(1, {})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_THAT(report.cycles[0].shape, testing::HasSubstr("AB-BA"));
}

TEST(Why, WhoLocksAgainWaitsForItself) {
  Goroutine again = on_mutex(2, 0x20, {0x20});
  again.holds = {holding(0x20, 7)};
  const auto report = look({again, asleep(1, {})});
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_THAT(members(report.cycles[0]), ElementsAre(2));
  EXPECT_THAT(report.cycles[0].shape, testing::HasSubstr("taken again"));
  again.holds = {holding(0, 7)};
  EXPECT_THAT(look({again, asleep(1, {})}).cycles, IsEmpty()) << "it may hold any other lock";
}

TEST(Why, WhichLockIsHeldMustBeClear) {
  Goroutine holder = on_channel(3, Direction::receive, 0xc0, {0x20, 0x30, 0xc0});
  holder.holds = {holding(0, 7)};  // of 0x20 and 0x30, one
  const auto report =
      look({on_mutex(2, 0x20, {0x20, 0xc0}), on_mutex(4, 0x30, {0x30}), holder, asleep(1, {0x20})});
  EXPECT_THAT(report.cycles, IsEmpty());
}

Snapshot with_holder(model::HolderKind kind, std::uint64_t object, const std::string& text) {
  Snapshot snapshot;
  snapshot.goroutines = {on_channel(7, Direction::send, 0xa0, {0xa0, 0xb0}),
                         on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0})};
  snapshot.surroundings.emplace();
  snapshot.surroundings->variables_known = snapshot.surroundings->timers_known = true;
  snapshot.surroundings->holders = {{kind, Address{object}, text, Nanos{5}}};
  return snapshot;
}

TEST(Why, AVariableThatLeadsToAChannelWeakensACycle) {
  const auto report = why(with_holder(model::HolderKind::variable, 0xa0, "global main.queue"));
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_EQ(report.cycles[0].certainty, Certainty::possible);
  EXPECT_THAT(report.cycles[0].because, testing::HasSubstr("global main.queue"));
  ASSERT_FALSE(report.objects.empty());
  ASSERT_THAT(report.objects[0].outside, SizeIs(1));
  EXPECT_EQ(report.objects[0].outside[0].kind, model::OutsideKind::variable);
  EXPECT_FALSE(report.cycles[0].open) << "nobody can go on who could use it";
  EXPECT_EQ(report.deadlock, DeadlockKind::global);
  const auto other = why(with_holder(model::HolderKind::variable, 0xe0, "global main.other"));
  ASSERT_THAT(other.cycles, SizeIs(1));
  EXPECT_EQ(other.cycles[0].certainty, Certainty::likely);
}

// Any of those that can go on may use it: a server that is idle is not deadlocked.
TEST(Why, AVariableOpensACycleToWhoCanGoOn) {
  Snapshot snapshot = with_holder(model::HolderKind::variable, 0xa0, "global main.queue");
  snapshot.goroutines.push_back(asleep(9, {}));
  const auto report = why(snapshot);
  ASSERT_THAT(report.cycles, SizeIs(1));
  EXPECT_TRUE(report.cycles[0].open);
  EXPECT_EQ(report.cycles[0].certainty, Certainty::possible);
  EXPECT_EQ(report.deadlock, DeadlockKind::none);
  // Behind it stands one that does not: who may be freed through the variable may free this one.
  snapshot.goroutines.push_back(on_channel(10, Direction::send, 0xc0, {0xc0, 0xd0}));
  snapshot.goroutines.push_back(on_channel(11, Direction::send, 0xd0, {0xc0, 0xd0}));
  const auto two = why(snapshot);
  ASSERT_THAT(two.cycles, SizeIs(2));
  EXPECT_THAT(members(two.cycles[0]), ElementsAre(10, 11)) << "open ones come last";
  EXPECT_FALSE(two.cycles[0].open);
  EXPECT_EQ(two.deadlock, DeadlockKind::partial);
}

TEST(Why, WhatATimerLeadsToIsInNoCycle) {
  const auto report = why(with_holder(model::HolderKind::timer, 0xa0, "timer that calls main.f"));
  EXPECT_THAT(report.cycles, IsEmpty());
  EXPECT_EQ(report.deadlock, DeadlockKind::none) << "the timer may wake one";
}

model::Proof proof_of(std::vector<model::ProofGoroutine> goroutines) {
  model::Proof proof;
  proof.goroutines = std::move(goroutines);
  return proof;
}

model::ProofGoroutine verdict(std::uint64_t id, model::ProofVerdict verdict,
                              std::vector<std::string> path = {}) {
  return {Goid{id}, verdict, "", std::move(path)};
}

TEST(Why, AProofProvesACycle) {
  using model::ProofVerdict;
  Snapshot snapshot;
  snapshot.goroutines = {on_channel(7, Direction::send, 0xa0, {0xa0, 0xb0}),
                         on_channel(8, Direction::send, 0xb0, {0xa0, 0xb0}), asleep(9, {})};
  const model::Proof both =
      proof_of({verdict(7, ProofVerdict::proved), verdict(8, ProofVerdict::proved),
                verdict(9, ProofVerdict::not_applicable)});
  const auto proved = why(snapshot, &both);
  ASSERT_THAT(proved.cycles, SizeIs(1));
  EXPECT_EQ(proved.cycles[0].certainty, Certainty::proved);
  EXPECT_EQ(proved.deadlock, DeadlockKind::partial);
  // The proof follows the heap all the way, the graph three steps of it.
  model::Proof held = both;
  held.goroutines[0] = verdict(7, ProofVerdict::held, {"goroutine 9's stack, main.main", "chan"});
  held.goroutines[0].held_by = Goid{9};
  const auto open = why(snapshot, &held);
  ASSERT_THAT(open.cycles, SizeIs(1));
  EXPECT_TRUE(open.cycles[0].open);
  EXPECT_THAT(open.cycles[0].because, testing::HasSubstr("goroutine 9's stack"));
  EXPECT_EQ(open.deadlock, DeadlockKind::none);
  held.goroutines[0].is_variable = true;
  EXPECT_FALSE(why(snapshot, &held).cycles.at(0).open) << "a WaitGroup that is a variable, say";
  held.goroutines[0].is_variable = false;
  held.goroutines[0].held_by = Goid{8};
  EXPECT_FALSE(why(snapshot, &held).cycles.at(0).open) << "goroutine 8 waits itself";
  held.goroutines[0] = verdict(7, ProofVerdict::held);
  EXPECT_THAT(why(snapshot, &held).cycles, IsEmpty()) << "somebody is about to wake goroutine 7";
}

TEST(Why, FileDescriptorsAndSleepsHaveTheirWakers) {
  Goroutine reader = waiting(5, WaitKind::io, "IO wait", {});
  reader.blocked_on->fd = 7;
  const auto report = look({reader, asleep(6, {})});
  ASSERT_THAT(report.objects, SizeIs(2));
  EXPECT_THAT(report.objects[0].text, testing::HasSubstr("fd 7"));
  EXPECT_EQ(report.objects[0].outside.at(0).kind, model::OutsideKind::poller);
  EXPECT_EQ(report.objects[1].outside.at(0).kind, model::OutsideKind::timer);
}

TEST(Why, SaysWhatKeepsGosOwnCheckSilent) {
  using model::SilenceReason;
  Snapshot snapshot;
  snapshot.goroutines = {on_mutex(2, 0x20, {0x20})};
  EXPECT_THAT(why(snapshot).runtime_check.silent, ElementsAre(SilenceReason::unknown));
  snapshot.surroundings.emplace();
  snapshot.surroundings->cgo = true;
  snapshot.surroundings->pending_timers = 2;
  const auto check = why(snapshot).runtime_check;
  EXPECT_THAT(check.silent, ElementsAre(SilenceReason::cgo, SilenceReason::timer));
  EXPECT_THAT(check.text, testing::HasSubstr("2 timers are pending"));
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
