#include "weir/analysis/stuck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using model::Certainty;
using model::Goroutine;
using model::Status;
using model::StuckDiagnosis;
using model::WaitKind;
using test::Go;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const WakeFacts no_timers{true, {}};

Go on_mutex(std::uint64_t id, std::uint64_t object) {
  return Go(id)
      .waits("sync.Mutex.Lock")
      .at({"sync.(*Mutex).Lock", "app.f" + std::to_string(id)})
      .on_object(WaitKind::mutex, object);
}

Goroutine main_in_test() {
  return Go(1)
      .waits("chan receive")
      .at({"testing.(*T).Run", "testing.runTests.func1", "testing.tRunner", "main.main"})
      .on(WaitKind::channel_receive, {test::receives(0x900, "bool")});
}

StuckDiagnosis diagnose(std::vector<Goroutine> goroutines, const WakeFacts& facts = no_timers) {
  return diagnose_stuck(test::snapshot(std::move(goroutines)), facts);
}

TEST(Stuck, AllParkedIsStuck) {
  const StuckDiagnosis d = diagnose({main_in_test(), on_mutex(5, 0x10)});
  EXPECT_TRUE(d.stuck);
  EXPECT_EQ(d.certainty, Certainty::likely);
  EXPECT_THAT(d.headline, HasSubstr("all 2 goroutines wait"));
  EXPECT_EQ(d.lines.size(), 2u);
}

TEST(Stuck, AnythingThatMovesIsProgress) {
  const auto with = [](const Goroutine& other) {
    return diagnose({on_mutex(5, 0x10), other}).stuck;
  };
  EXPECT_FALSE(with(Go(6).at({"app.loop"})));
  EXPECT_FALSE(with(Go(6).status(Status::runnable)));
  EXPECT_FALSE(with(Go(6).status(Status::syscall).at({"syscall.read", "app.f"})));
  EXPECT_FALSE(with(Go(6).waits("sleep").at({"time.Sleep"})));
  EXPECT_FALSE(with(Go(6).waits("IO wait").at({"internal/poll.runtime_pollWait"})));
  EXPECT_FALSE(with(Go(6).waits("select").on(
      WaitKind::select, {test::receives(0x20), test::receives(0x30, "time.Time")})));
  EXPECT_TRUE(with(Go(6).waits("GC worker (idle)").at({"runtime.gcBgMarkWorker"}).system()));
  EXPECT_TRUE(with(Go(6).status(Status::syscall).at({"os/signal.signal_recv"})))
      << "signals do not count as progress";
}

TEST(Stuck, TimersThatCallAreProgressButNotTheAlarm) {
  WakeFacts facts = no_timers;
  facts.timers = {{"time.goFunc", "testing.(*M).startAlarm.func1", {}}, {"time.sendTime", "", {}}};
  EXPECT_TRUE(diagnose({on_mutex(5, 0x10)}, facts).stuck);
  facts.timers.push_back({"time.goFunc", "context.WithDeadlineCause.func2", {}});
  const StuckDiagnosis d = diagnose({on_mutex(5, 0x10)}, facts);
  EXPECT_FALSE(d.stuck);
  EXPECT_THAT(d.can_wake, ElementsAre("a timer will call context.WithDeadlineCause.func2"));
}

TEST(Stuck, UnknownTimersAndPartialSnapshotsWeaken) {
  const StuckDiagnosis d = diagnose({on_mutex(5, 0x10)}, WakeFacts{});
  EXPECT_TRUE(d.stuck);
  EXPECT_EQ(d.certainty, Certainty::possible);
  EXPECT_THAT(d.weakened_by, HasSubstr("timers are not known"));
  auto partial = test::snapshot({on_mutex(5, 0x10)});
  partial.partial = true;
  EXPECT_EQ(diagnose_stuck(partial, no_timers).certainty, Certainty::possible);
}

TEST(Stuck, NobodyLeftToWake) {
  const StuckDiagnosis d = diagnose({main_in_test(), on_mutex(5, 0x10), on_mutex(6, 0x10)});
  for (const auto& line : d.lines) {
    if (line.what.starts_with("waits: sync.Mutex")) {
      EXPECT_EQ(line.could_wake, "nobody: no other goroutine is left");
    }
  }
}

TEST(Stuck, TwoThatWaitForEachOther) {
  const StuckDiagnosis d = diagnose({main_in_test(), on_mutex(5, 0x10), on_mutex(6, 0x20)});
  EXPECT_THAT(d.cycles,
              ElementsAre("goroutine 5 waits: sync.Mutex 0x10; goroutine 6 waits: sync.Mutex 0x20; "
                          "each is the only one left that could wake the other"));
}

TEST(Stuck, SenderAndReceiverOfDifferentChannels) {
  const StuckDiagnosis d = diagnose(
      {Go(5).waits("chan send").at({"app.a"}).on(WaitKind::channel_send, {test::sends(0x10)}),
       Go(6)
           .waits("chan receive")
           .at({"app.b"})
           .on(WaitKind::channel_receive, {test::receives(0x20)})});
  EXPECT_EQ(d.cycles.size(), 1u);
}

TEST(Stuck, WaitBeforeReceive) {
  const StuckDiagnosis d = diagnose(
      {Go(4).waits("sync.WaitGroup.Wait").at({"app.all"}).on_object(WaitKind::wait_group, 0x50),
       Go(5)
           .waits("chan send")
           .at({"app.a"})
           .made_by("app.all", 4)
           .on(WaitKind::channel_send, {test::sends(0x10)}),
       Go(6)
           .waits("chan send")
           .at({"app.a"})
           .made_by("app.all", 4)
           .on(WaitKind::channel_send, {test::sends(0x10)})});
  ASSERT_FALSE(d.cycles.empty());
  EXPECT_THAT(d.cycles.back(), HasSubstr("goroutine 4 waits for a WaitGroup, and 2 that it "
                                         "started wait to send"));
}

TEST(Stuck, SamePlaceOnDifferentObjectsAreTwoLines) {
  auto a = on_mutex(5, 0x10);
  auto b = on_mutex(6, 0x20);
  b.at({"sync.(*Mutex).Lock", "app.f5"});
  EXPECT_EQ(diagnose({a, b}).lines.size(), 2u);
}

TEST(Stuck, NoGoroutineIsNotStuck) {
  EXPECT_FALSE(diagnose({}).stuck);
}

}  // namespace
}  // namespace weir::analysis
