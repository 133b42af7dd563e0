#include "weir/analysis/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using model::Status;
using model::WaitKind;
using test::Go;

std::string key(const model::Goroutine& goroutine) {
  return fingerprint(goroutine).key;
}

const std::vector<std::string> receive_stack = {"runtime.gopark",    "runtime.chanrecv",
                                                "runtime.chanrecv1", "app.worker.func1",
                                                "app.worker",        "runtime.goexit"};

TEST(Fingerprint, IsUserFunctionsWaitAndCreator) {
  const auto g = Go(7).waits("chan receive").at(receive_stack).made_by("app.Start.func2");
  EXPECT_EQ(key(g), "chan receive: app.worker; created by app.Start");
  EXPECT_EQ(fingerprint(g).id.size(), 16u);
}

TEST(Fingerprint, LinesAddressesAndClosureNumbersDoNotCount) {
  auto a = Go(7).waits("chan receive").at({"runtime.gopark", "app.f.func1"}).made_by("app.S");
  auto b =
      Go(9).waits("chan receive").at({"runtime.gopark", "app.f.func7.2"}).made_by("app.S.func1");
  auto stack = *b.raw().stack;
  for (auto& frame : stack) frame.line += 100, frame.pc = Address{0x400123};
  b.raw().stack = std::make_shared<model::Stack>(stack);
  EXPECT_EQ(fingerprint(a), fingerprint(b));
}

TEST(Fingerprint, DifferentFunctionsWaitsAndCreatorsCount) {
  const auto base = Go(1).waits("chan receive").at({"app.f"}).made_by("app.S");
  for (const model::Goroutine& other :
       {model::Goroutine(Go(1).waits("chan send").at({"app.f"}).made_by("app.S")),
        model::Goroutine(Go(1).waits("chan receive").at({"app.g"}).made_by("app.S")),
        model::Goroutine(Go(1).waits("chan receive").at({"app.f"}).made_by("app.T"))})
    EXPECT_NE(fingerprint(base).id, fingerprint(other).id);
}

// The same program before and after an upgrade: 1.19 has one word for all of sync, and no blocking
// object need be known; newer ones moved Mutex to internal/sync.
TEST(Fingerprint, SurvivesGoVersions) {
  const auto go119 =
      Go(1)
          .waits("semacquire")
          .at({"runtime.gopark", "runtime.semacquire1", "sync.runtime_SemacquireMutex",
               "sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "app.f"});
  const auto go127 =
      Go(1)
          .waits("sync.Mutex.Lock")
          .at({"runtime.gopark", "runtime.semacquire1", "internal/sync.runtime_SemacquireMutex",
               "internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).Lock",
               "sync.(*Mutex).Lock", "app.f"});
  EXPECT_EQ(key(go119), "sync.Mutex.Lock: sync.(*Mutex).Lock < app.f");
  EXPECT_EQ(fingerprint(go119), fingerprint(go127));
  const auto group119 =
      Go(1).waits("semacquire").at({"sync.runtime_Semacquire", "sync.(*WaitGroup).Wait", "app.f"});
  const auto group127 =
      Go(1)
          .waits("sync.WaitGroup.Wait")
          .at({"sync.runtime_SemacquireWaitGroup", "sync.(*WaitGroup).Wait", "app.f"});
  EXPECT_EQ(fingerprint(group119), fingerprint(group127));
}

TEST(Fingerprint, IsTheSameInAProcessADumpAndAProfile) {
  const auto process = Go(7)
                           .waits("select")
                           .at({"runtime.gopark", "runtime.selectgo", "app.run", "runtime.goexit"})
                           .on(WaitKind::select, {test::receives(1)});
  const auto dump = Go(7).waits("select").at({"app.run"});
  const auto profile =
      Go(0).status(Status::unknown).at({"runtime.gopark", "runtime.selectgo", "app.run"});
  EXPECT_EQ(fingerprint(process), fingerprint(dump));
  EXPECT_EQ(fingerprint(process), fingerprint(profile));
}

TEST(Fingerprint, NilChannelAndDurableWaitsAreOrdinaryOnes) {
  const auto plain = Go(1).waits("chan receive").at({"app.f"});
  EXPECT_EQ(fingerprint(plain), fingerprint(Go(1).waits("chan receive (nil chan)").at({"app.f"})));
  EXPECT_EQ(fingerprint(plain), fingerprint(Go(1).waits("chan receive (durable)").at({"app.f"})));
}

TEST(Fingerprint, RecursionDepthDoesNotCount) {
  const auto shallow = Go(1).waits("select").at({"app.walk", "app.run"});
  const auto deep = Go(1).waits("select").at({"app.walk", "app.walk", "app.walk.func1", "app.run"});
  EXPECT_EQ(fingerprint(shallow), fingerprint(deep));
}

TEST(Fingerprint, ARunningGoroutineIsWhereItBegan) {
  const auto one = Go(1).at({"app.inner", "app.loop"}).made_by("app.S");
  const auto other = Go(1)
                         .status(Status::runnable)
                         .at({"runtime.asyncPreempt", "time.Now", "app.loop", "runtime.goexit"})
                         .made_by("app.S");
  EXPECT_EQ(key(one), "running: app.loop; created by app.S");
  EXPECT_EQ(fingerprint(one), fingerprint(other));
}

TEST(Fingerprint, StandardFramesFold) {
  const auto g = Go(1).waits("IO wait").at(
      {"runtime.gopark", "internal/poll.runtime_pollWait", "internal/poll.(*FD).Accept",
       "net.(*netFD).accept", "net.(*TCPListener).Accept", "app.serve", "sort.Sort", "app.main"});
  EXPECT_EQ(key(g), "IO wait: net.(*TCPListener).Accept < app.serve < app.main");
  const auto http = Go(1)
                        .waits("IO wait")
                        .at({"runtime.gopark", "internal/poll.runtime_pollWait", "net.(*conn).Read",
                             "net/http.(*persistConn).readLoop", "runtime.goexit"})
                        .made_by("net/http.(*Transport).dialConn");
  EXPECT_EQ(key(http), "IO wait: net/http.(*persistConn).readLoop; created by net/http");
}

TEST(Fingerprint, OddStacksHaveOneToo) {
  EXPECT_EQ(key(Go(1)), "running: ");
  model::Goroutine none;
  EXPECT_EQ(key(none), "running: ");
  EXPECT_EQ(key(Go(1).waits("finalizer wait").at({"runtime.gopark", "runtime.runfinq"})),
            "waiting: runtime.runfinq");
}

TEST(Fingerprint, IdsNeverChange) {
  // Committed baselines hold these.
  EXPECT_EQ(fingerprint_id(""), "fdbdf6ac4fc52e7f");
  EXPECT_EQ(fingerprint_id("chan receive: app.worker; created by app.Start"), "94c55b8c83b23e0e");
}

TEST(WaitKindOf, RWMutexIsNotItsInnerMutex) {
  const auto writer = Go(1)
                          .waits("sync.Mutex.Lock")
                          .at({"sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow",
                               "sync.(*Mutex).Lock", "sync.(*RWMutex).Lock", "app.f"});
  EXPECT_EQ(wait_kind(writer), WaitKind::rwmutex_lock);
  const auto relock =
      Go(1).waits("sync.Mutex.Lock").at({"sync.(*Mutex).Lock", "sync.(*Cond).Wait", "app.f"});
  EXPECT_EQ(wait_kind(relock), WaitKind::mutex);
}

TEST(WaitKindOf, EveryReasonOfWaitReasonStringsThatAUserSees) {
  for (const auto& [words, kind] : std::vector<std::pair<const char*, WaitKind>>{
           {"chan send", WaitKind::channel_send},
           {"select (no cases)", WaitKind::select_no_cases},
           {"sync.RWMutex.RLock", WaitKind::rwmutex_rlock},
           {"sync.Cond.Wait", WaitKind::cond},
           {"semacquire", WaitKind::semaphore},
           {"sync.WaitGroup.Wait (durable)", WaitKind::wait_group},
           {"IO wait", WaitKind::io},
           {"sleep", WaitKind::sleep},
           {"coroutine", WaitKind::other}})
    EXPECT_EQ(wait_kind(Go(1).waits(words).at({"app.f"})), kind) << words;
  EXPECT_EQ(wait_kind(Go(1).status(Status::syscall)), std::nullopt);
}

}  // namespace
}  // namespace weir::analysis
