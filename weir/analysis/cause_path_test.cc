#include "weir/analysis/cause_path.h"

#include <gmock/gmock.h>

#include "tests/support/goroutines.h"
#include "weir/analysis/fingerprint.h"

namespace weir::analysis {
namespace {

using model::CausePath;
using model::Certainty;
using model::Tally;
using model::TallyEntry;
using test::Go;
using testing::HasSubstr;
using testing::SizeIs;

model::Goroutine sender() {
  Go go(7);
  go.waits("chan send")
      .at({"runtime.gopark", "runtime.chansend1", "app.work"})
      .made_by("app.serve");
  go.raw().blocked_on = model::Blocking{};
  go.raw().blocked_on->kind = model::WaitKind::channel_send;
  go.raw().blocked_on->cases = {test::sends(0xc000100000)};
  return go;
}

Tally tally(std::vector<TallyEntry> entries) {
  Tally made;
  made.entries = std::move(entries);
  return made;
}

/// The path of the first entry.
CausePath walk(const Tally& now, const std::vector<model::WatchChange>& changes = {}) {
  return walk_cause_path(
      now, fingerprint(now.entries[0].exemplar, {now.knows.wait, now.knows.creator}).id, changes);
}

TEST(CausePath, TheReceiverHasReturned) {
  const CausePath path = walk(tally({{sender(), 40, {}, 40}}));
  EXPECT_EQ(path.branch, "receiver-returned");
  EXPECT_EQ(path.certainty, Certainty::likely);
  EXPECT_THAT(path.sentence, HasSubstr("app.serve has returned without receiving"));
  ASSERT_THAT(path.steps, SizeIs(3));
  EXPECT_EQ(path.steps[0].answer, "yes");
  EXPECT_THAT(path.steps[1].evidence, HasSubstr("40 for 40 goroutines, each with its other side"));
  EXPECT_THAT(path.steps[2].evidence, HasSubstr("on no stack any more"));
}

TEST(CausePath, WhoStartedThemMayStillReceive) {
  const CausePath path = walk(tally(
      {{sender(), 40, {}, 1}, {Go(1).at({"app.serve", "main.main"}).waits("select"), 2, {}, {}}}));
  EXPECT_EQ(path.branch, "receiver-returned");
  EXPECT_EQ(path.certainty, Certainty::possible);
  EXPECT_THAT(path.steps[1].evidence, HasSubstr("all 40 wait for one"));
  EXPECT_EQ(path.steps[2].answer, "not known");
  EXPECT_THAT(path.steps[2].evidence, HasSubstr("still on the stack of 2 goroutines"));
}

TEST(CausePath, APartialLookDoesNotTellThatSomebodyReturned) {
  Tally now = tally({{sender(), 40, {}, 40}});
  now.partial = true;
  EXPECT_EQ(walk(now).certainty, Certainty::possible);
}

TEST(CausePath, AProfileDoesNotTellWhoStartedThem) {
  model::Goroutine goroutine = sender();
  goroutine.status = model::Status::unknown;
  goroutine.wait_reason.clear();
  goroutine.blocked_on.reset();
  goroutine.created = {};
  Tally now = tally({{goroutine, 40, {}, {}}});
  now.knows = {.state = false, .wait = true, .creator = false};
  const CausePath path = walk(now);
  EXPECT_EQ(path.branch, "receiver-returned");
  EXPECT_EQ(path.certainty, Certainty::possible);
  EXPECT_THAT(path.steps[1].evidence, HasSubstr("does not tell which one"));
  EXPECT_THAT(path.steps[2].evidence, HasSubstr("does not tell who started them"));
}

TEST(CausePath, ARangeWhoseCloseIsSkipped) {
  const model::Goroutine ranges = Go(7)
                                      .waits("chan receive")
                                      .at({"runtime.gopark", "runtime.chanrecv2", "app.drain"})
                                      .made_by("app.Load");
  const CausePath path = walk(tally({{ranges, 12, {}, {}}}));
  EXPECT_EQ(path.branch, "close-skipped");
  EXPECT_EQ(path.certainty, Certainty::likely);
  EXPECT_THAT(path.sentence, HasSubstr("app.Load has returned without sending or close()"));
}

TEST(CausePath, AWaitGroupIsNeverMoreThanPossible) {
  const model::Goroutine waits = Go(7)
                                     .waits("sync.WaitGroup.Wait")
                                     .at({"sync.(*WaitGroup).Wait", "app.join"})
                                     .made_by("app.x");
  const CausePath path = walk(tally({{waits, 12, {}, {}}}));
  EXPECT_EQ(path.branch, "done-skipped");
  EXPECT_EQ(path.certainty, Certainty::possible);
}

TEST(CausePath, ABodyIsNotClosed) {
  const model::Goroutine read = Go(7)
                                    .waits("select")
                                    .at({"runtime.selectgo", "net/http.(*persistConn).readLoop"})
                                    .made_by("net/http.(*Transport).dialConn");
  const model::Goroutine write = Go(8)
                                     .waits("select")
                                     .at({"runtime.selectgo", "net/http.(*persistConn).writeLoop"})
                                     .made_by("net/http.(*Transport).dialConn");
  for (const bool reader_first : {true, false}) {
    const TallyEntry one{reader_first ? read : write, 9, {}, {}};
    const TallyEntry other{reader_first ? write : read, 9, {}, {}};
    const CausePath path = walk(tally({one, other}));
    EXPECT_EQ(path.branch, "body-not-closed");
    EXPECT_EQ(path.certainty, Certainty::likely);
    EXPECT_EQ(path.steps[0].answer, "no");
  }
  const model::Goroutine idle = Go(7)
                                    .waits("IO wait")
                                    .at({"net/http.(*persistConn).readLoop"})
                                    .made_by("net/http.(*Transport).dialConn");
  EXPECT_EQ(walk(tally({{idle, 9, {}, {}}})).branch, "client-connections");
}

TEST(CausePath, AHandlerThatDoesNotReturn) {
  const model::Goroutine handler =
      Go(7)
          .waits("sync.Mutex.Lock")
          .at({"sync.(*Mutex).Lock", "app.handle", "net/http.(*conn).serve"})
          .made_by("net/http.(*Server).Serve");
  EXPECT_EQ(walk(tally({{handler, 9, {}, {}}})).branch, "handler-stuck");
  const model::Goroutine idle = Go(7)
                                    .waits("IO wait")
                                    .at({"internal/poll.(*FD).Read", "net/http.(*conn).serve"})
                                    .made_by("net/http.(*Server).Serve");
  EXPECT_EQ(walk(tally({{idle, 9, {}, {}}})).branch, "idle-connections");
}

TEST(CausePath, Timers) {
  const model::Goroutine sleeps =
      Go(7).waits("sleep").at({"runtime.gopark", "time.Sleep", "app.poll"}).made_by("app.x");
  EXPECT_EQ(walk(tally({{sleeps, 9, {}, {}}})).branch, "timer");
  Go ticks(7);
  ticks.waits("chan receive").at({"runtime.chanrecv1", "app.beat"}).made_by("app.x");
  ticks.raw().blocked_on = model::Blocking{};
  ticks.raw().blocked_on->kind = model::WaitKind::channel_receive;
  ticks.raw().blocked_on->cases = {test::receives(0xc000100000, "time.Time")};
  CausePath path = walk(tally({{ticks, 9, {}, {}}}));
  EXPECT_EQ(path.branch, "timer");
  EXPECT_EQ(path.certainty, Certainty::possible) << "by the element's type alone";
  ticks.raw().blocked_on->cases[0].channel.timer = true;
  EXPECT_EQ(walk(tally({{ticks, 9, {}, {}}})).certainty, Certainty::likely);
}

TEST(CausePath, ManyChainsAreNoSharedChannel) {
  const Tally now =
      tally({{sender(), 10, {}, 10},
             {Go(8).waits("chan receive").at({"app.other"}).made_by("app.y"), 90, {}, {}}});
  const auto change = [&](std::size_t entry) {
    return model::WatchChange{fingerprint(now.entries[entry].exemplar), 0,
                              now.entries[entry].count};
  };
  const CausePath path = walk(now, {change(1), change(0)});
  EXPECT_EQ(path.steps[0].answer, "no");
  EXPECT_THAT(path.steps[0].evidence, HasSubstr("10 of 100"));
  EXPECT_EQ(path.branch, "unknown");
}

TEST(CausePath, NeverProved) {
  model::Goroutine leaked = sender();
  leaked.status = model::Status::leaked;
  EXPECT_NE(walk(tally({{leaked, 3, {}, 3}})).certainty, Certainty::proved);
  EXPECT_EQ(walk_cause_path(tally({}), "0123", {}).branch, "unknown");
}

}  // namespace
}  // namespace weir::analysis
