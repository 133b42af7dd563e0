#include "weir/analysis/cause.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using model::Cause;
using model::Certainty;
using model::Goroutine;
using model::Status;
using model::WaitKind;
using test::Go;
using test::receives;
using test::sends;
using ::testing::Contains;
using ::testing::HasSubstr;

Cause cause_of(const Goroutine& goroutine, std::vector<Goroutine> others = {}, bool end = true) {
  others.insert(others.begin(), goroutine);
  const auto snapshot = test::snapshot(std::move(others));
  return CauseFinder(snapshot, end).of(0);
}

Go sender() {
  return Go(7)
      .waits("chan send")
      .at({"runtime.gopark", "runtime.chansend1", "app.produce"})
      .on(WaitKind::channel_send, {sends(0x10)});
}

TEST(Cause, ProvedIsOnlyWhatNobodyCanWake) {
  const Cause nil = cause_of(
      Go(7).waits("chan receive (nil chan)").at({"app.f"}).on(WaitKind::nil_channel_receive));
  EXPECT_EQ(nil.code, "nil-channel");
  EXPECT_EQ(nil.certainty, Certainty::proved);
  const Cause empty = cause_of(Go(7).waits("select (no cases)").at({"app.f"}));
  EXPECT_EQ(empty.code, "select-empty");
  EXPECT_EQ(empty.certainty, Certainty::proved);
  const Cause go = cause_of(Go(7).waits("chan send").status(Status::leaked).at({"app.f"}));
  EXPECT_EQ(go.code, "proved-by-go");
  EXPECT_EQ(go.certainty, Certainty::proved);
}

TEST(Cause, ASelectOfNilChannelsIsProvedOnlyWhereCasesAreSeen) {
  EXPECT_EQ(cause_of(Go(7).waits("select").at({"app.f"}).on(WaitKind::select)).code,
            "select-empty");
  auto dump = Go(7).waits("select").at({"app.f"}).on(WaitKind::select);
  dump.raw().g = Address{};
  EXPECT_EQ(cause_of(dump).code, "select-waits");
  auto unknown = Go(7).waits("select").at({"app.f"}).on(WaitKind::select);
  unknown.raw().blocked_on->unknown_why = "torn read";
  EXPECT_EQ(cause_of(unknown).code, "select-waits");
}

TEST(Cause, SendIsLikelyAtTheEndAndPossibleBefore) {
  const Cause end = cause_of(sender());
  EXPECT_EQ(end.code, "send-no-receiver");
  EXPECT_EQ(end.certainty, Certainty::likely);
  EXPECT_THAT(end.evidence, Contains("blocked on: send on chan int 0x10 (unbuffered)"));
  EXPECT_EQ(cause_of(sender(), {}, false).certainty, Certainty::possible);
  auto text = Go(7).waits("chan send").at({"app.produce"});
  EXPECT_EQ(cause_of(text).certainty, Certainty::possible) << "no object, no evidence";
}

TEST(Cause, SendCountsThoseWhoWaitToo) {
  const Cause cause =
      cause_of(sender(), {Go(8).waits("chan send").on(WaitKind::channel_send, {sends(0x10)}),
                          Go(9).waits("chan send").on(WaitKind::channel_send, {sends(0x20)})});
  EXPECT_THAT(cause.evidence, Contains("2 goroutines wait to send on it in all"));
}

TEST(Cause, GoroutinesThatMayActWeaken) {
  const Cause cause = cause_of(sender(), {Go(8).waits("sleep").at({"time.Sleep"})});
  EXPECT_THAT(cause.weakened_by, HasSubstr("a goroutine still runs, sleeps or waits for IO"));
  EXPECT_TRUE(cause_of(sender(), {Go(1).at({"main.main"})}).weakened_by.empty())
      << "goroutine 1 is over at the end";
}

TEST(Cause, RangeIsToldFromReceive) {
  const auto base = [](const char* receive) {
    return Go(7)
        .waits("chan receive")
        .at({"runtime.gopark", "runtime.chanrecv", receive, "app.consume"})
        .on(WaitKind::channel_receive, {receives(0x10)});
  };
  EXPECT_EQ(cause_of(base("runtime.chanrecv2")).code, "range-never-closed");
  EXPECT_EQ(cause_of(base("runtime.chanrecv1")).code, "receive-no-sender");
}

TEST(Cause, ReceiveByElementType) {
  const auto base = [](const char* type) {
    return Go(7)
        .waits("chan receive")
        .at({"app.f"})
        .on(WaitKind::channel_receive, {receives(0x10, type)});
  };
  EXPECT_EQ(cause_of(base("struct {}")).code, "stop-never-closed");
  EXPECT_EQ(cause_of(base("time.Time")).code, "ticker-not-stopped");
  EXPECT_EQ(cause_of(base("time.Time")).certainty, Certainty::possible);
  EXPECT_EQ(cause_of(base("os.Signal")).code, "signal-wait");
  auto ticker = base("time.Time");
  ticker.raw().blocked_on->cases[0].channel.timer = true;
  EXPECT_EQ(cause_of(ticker).certainty, Certainty::likely);
}

TEST(Cause, Selects) {
  const auto base = [](std::vector<model::ChannelCase> cases) {
    return Go(7).waits("select").at({"app.f"}).on(WaitKind::select, std::move(cases));
  };
  EXPECT_EQ(cause_of(base({receives(0x10), receives(0x20, "struct {}")})).code,
            "select-stop-never-closed");
  EXPECT_THAT(cause_of(base({receives(0x10, "time.Time"), receives(0x20, "struct {}")})).sentence,
              HasSubstr("ticker"));
  EXPECT_EQ(cause_of(base({receives(0x10), sends(0x20, "struct {}")})).code, "select-no-stop");
  EXPECT_EQ(cause_of(base({receives(0x10), receives(0x20)})).certainty, Certainty::possible);
}

TEST(Cause, LocksAndGroups) {
  const auto on = [](const char* reason, WaitKind kind) {
    return Go(7).waits(reason).at({"app.f"}).on_object(kind, 0x10);
  };
  EXPECT_EQ(cause_of(on("sync.Mutex.Lock", WaitKind::mutex)).code, "lock-never-released");
  EXPECT_EQ(cause_of(on("sync.RWMutex.RLock", WaitKind::rwmutex_rlock)).code,
            "lock-never-released");
  EXPECT_EQ(cause_of(on("sync.Cond.Wait", WaitKind::cond)).code, "cond-never-signalled");
  const Cause alone = cause_of(on("sync.WaitGroup.Wait", WaitKind::wait_group));
  EXPECT_EQ(alone.code, "waitgroup-never-done");
  EXPECT_EQ(alone.certainty, Certainty::likely);
  const Cause others = cause_of(on("sync.WaitGroup.Wait", WaitKind::wait_group), {sender()});
  EXPECT_EQ(others.certainty, Certainty::possible);
  EXPECT_EQ(others.weakened_by, "1 other goroutine may yet call Done()");
}

TEST(Cause, Http) {
  const auto loop = [](std::uint64_t id, const char* reason, const char* function) {
    return Goroutine(Go(id)
                         .waits(reason)
                         .at({"runtime.gopark", function})
                         .made_by("net/http.(*Transport).dialConn"));
  };
  const auto open = loop(7, "select", "net/http.(*persistConn).readLoop");
  const auto idle = loop(7, "IO wait", "net/http.(*persistConn).readLoop");
  const auto writer = loop(8, "select", "net/http.(*persistConn).writeLoop");
  EXPECT_EQ(cause_of(open).code, "http-body-not-closed");
  EXPECT_EQ(cause_of(open).certainty, Certainty::likely);
  EXPECT_EQ(cause_of(idle).code, "http-idle-connection");
  EXPECT_EQ(cause_of(writer, {idle}).code, "http-idle-connection");
  EXPECT_EQ(cause_of(writer, {open}).code, "http-body-not-closed");
  EXPECT_EQ(cause_of(writer, {open}).certainty, Certainty::possible);
  EXPECT_EQ(cause_of(loop(7, "IO wait", "net/http.(*conn).serve")).code, "server-connection");
  EXPECT_EQ(cause_of(loop(7, "IO wait", "net.(*TCPListener).Accept")).code, "server-accepting");
}

TEST(Cause, OtherLibraries) {
  EXPECT_EQ(cause_of(Go(7).waits("select").at({"database/sql.(*DB).connectionOpener"})).code,
            "sql-db-not-closed");
  EXPECT_EQ(cause_of(Go(7).waits("select").at({"context.(*cancelCtx).propagateCancel.func2"})).code,
            "context-not-cancelled");
  EXPECT_EQ(cause_of(Go(7).waits("IO wait").at({"io.Copy"}).made_by("os/exec.(*Cmd).Start")).code,
            "command-not-waited");
}

TEST(Cause, NotWaiting) {
  EXPECT_EQ(cause_of(Go(7).at({"app.loop"})).code, "still-running");
  EXPECT_EQ(cause_of(Go(7).status(Status::syscall).at({"syscall.read"})).code, "system-call");
  EXPECT_EQ(cause_of(Go(7).waits("sleep").at({"time.Sleep", "app.f"})).code, "sleep-loop");
  EXPECT_EQ(cause_of(Go(7).waits("IO wait").at({"app.f"})).code, "io-wait");
  EXPECT_EQ(cause_of(Go(7).waits("semacquire").at({"app.f"})).code, "semaphore");
  EXPECT_EQ(cause_of(Go(7).waits("coroutine").at({"app.f"})).code, "unknown");
}

TEST(Cause, EveryCodeIsDistinctAndHasWords) {
  auto codes = cause_codes();
  EXPECT_GT(codes.size(), 20u);
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(std::adjacent_find(codes.begin(), codes.end()), codes.end());
}

}  // namespace
}  // namespace weir::analysis
