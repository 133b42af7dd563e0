// Proofs at stops forced into the moments that matter: a goroutine is taken out of a queue and not
// yet ready, a timer's function runs, a goroutine is about to park. Random stops hardly ever hit
// them. The program is one in which nothing leaks; at each stop the thread is stepped on by some
// instructions while all others stand.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/support/go_test_case.h"
#include "weir/gortime/reach.h"
#include "weir/ingest/live.h"
#include "weir/target/tracee.h"

namespace weir::live {
namespace {

using namespace std::chrono_literals;
using model::ProofVerdict;
using target::Tracee;
using target::TraceeEvent;

/// Where somebody is woken, or goes to sleep. What a Go version does not have is left out.
const std::vector<std::string> moments{
    "runtime.closechan",
    "runtime.send",
    "runtime.recv",
    "runtime.goready",
    "sync.runtime_notifyListNotifyAll",
    "sync.runtime_notifyListWait",
    "runtime.semrelease1",
    "runtime.readyWithTime",
    "runtime.selectgo",
    "runtime.chanparkcommit",
    "runtime.selparkcommit",
    "runtime.park_m",
    "runtime.goroutineReady",
    "time.sendTime",
    "time.goFunc",
    "main.afterFunc.func1",
    "runtime.runOneTimer",
    "runtime.(*timer).unlockAndRun",
    "runtime.copystack",
    "runtime.(*semaRoot).dequeue",
    "runtime.(*waitq).dequeueSudoG",
};
constexpr int most_steps = 250;
/// A moment that exists, but does not come in the first round, is not waited for again.
constexpr std::chrono::milliseconds longest_wait = 2s;

class ForcedStopTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), "batons");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);  // what the program reads from, and what keeps it alive
    keeps_alive_ = ends[1];
    ASSERT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    auto tracee = Tracee::launch({{program}, {"PATH=/usr/bin:/bin"}, true});
    ASSERT_TRUE(tracee.has_value()) << to_string(tracee.error());
    tracee_ = std::move(*tracee);
    const TraceeEvent exec = tracee_->next({});
    ASSERT_EQ(exec.kind, TraceeEvent::Kind::exec);
    ASSERT_TRUE(tracee_->resume(exec.thread).has_value());
    tracee_->next(Tracee::Clock::now() + 300ms);  // all its goroutines are at work
    auto reader = ingest::LiveReader::open(tracee_->pid());
    ASSERT_TRUE(reader.has_value()) << to_string(reader.error());
    reader_.emplace(std::move(*reader));
  }
  void TearDown() override {
    tracee_.reset();
    if (keeps_alive_ >= 0) close(keeps_alive_);
  }

  /// The thread that comes to `at` next; 0 if none does.
  pid_t wait_for(Address at) {
    const auto deadline = Tracee::Clock::now() + longest_wait;
    while (true) {
      const TraceeEvent event = tracee_->next(deadline);
      if (event.kind != TraceeEvent::Kind::breakpoint) return 0;
      if (event.at == at) return event.thread;
      if (!tracee_->resume(event.thread)) return 0;
    }
  }
  /// One instruction after the other, as long as the thread can go on: one that waits for a lock of
  /// the runtime may wait for a thread that stands.
  static int step(pid_t thread, int count) {
    long signal = 0;
    for (int done = 0; done < count; ++done) {
      if (ptrace(PTRACE_SINGLESTEP, thread, 0, signal) != 0) return done;
      int status = 0;
      pid_t got = 0;
      for (int i = 0; i < 200 && got == 0; ++i) {
        got = waitpid(thread, &status, __WALL | WNOHANG);
        if (got == 0) usleep(i < 50 ? 0 : 100);
      }
      if (got == 0) {
        ptrace(PTRACE_INTERRUPT, thread, 0, 0);
        got = waitpid(thread, &status, __WALL);
      }
      if (got != thread || !WIFSTOPPED(status)) return done;
      if (status >> 16 == PTRACE_EVENT_STOP) return done;
      signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    }
    return count;
  }
  std::vector<ingest::StoppedRegisters> registers() {
    std::vector<ingest::StoppedRegisters> all;
    for (const pid_t tid : tracee_->threads()) {
      const auto raw = tracee_->read_registers(tid);
      if (!raw) continue;
      all.push_back({tid, target::to_registers(*raw), tracee_->read_vector_registers(tid)});
    }
    return all;
  }
  void look(const std::string& moment, int steps) {
    const auto proven = reader_->read_proof_stopped(registers(), {.without = without_});
    ASSERT_TRUE(proven.has_value()) << to_string(proven.error());
    ++stops_;
    if (!proven->proof.refused.empty()) ++refused_;
    for (const model::Goroutine& goroutine : proven->snapshot.goroutines) {
      const auto* one = proven->proof.find(goroutine.id);
      if (one && one->verdict == ProofVerdict::proved)
        wrong_.push_back(fmt::format("{} [{}], {} instructions after the start of {}",
                                     goroutine.start_function, goroutine.wait_reason, steps,
                                     moment));
    }
  }
  void stop_in(const std::string& moment) {
    const Address at = reader_->program().find_entry(moment);
    if (!at || given_up_.contains(moment)) return;
    ASSERT_TRUE(tracee_->stop_all().has_value());
    ASSERT_TRUE(tracee_->set_breakpoint(at).has_value());
    tracee_->resume_all();
    const pid_t thread = wait_for(at);
    ASSERT_TRUE(tracee_->stop_all().has_value());
    ASSERT_TRUE(tracee_->remove_breakpoint(at).has_value());
    if (thread != 0) {
      const int steps = step(thread, static_cast<int>(random_() % most_steps));
      ASSERT_NO_FATAL_FAILURE(look(moment, steps));
      ++reached_[moment];
    } else if (reached_[moment] == 0) {
      given_up_.insert(moment);
    }
    tracee_->resume_all();
    const bool goes_on = thread == 0 || tracee_->resume(thread).has_value();
    ASSERT_TRUE(goes_on);
    ASSERT_FALSE(tracee_->ended()) << "after a stop in " << moment;
  }

  std::unique_ptr<Tracee> tracee_;
  std::optional<ingest::LiveReader> reader_;
  std::minstd_rand random_{4};
  int keeps_alive_ = -1;
  unsigned without_ = 0;  ///< kinds of roots left out
  int stops_ = 0, refused_ = 0;
  std::map<std::string, int> reached_;
  std::set<std::string> given_up_;
  std::vector<std::string> wrong_;
};

TEST_P(ForcedStopTest, ProvesNothingWhereSomebodyIsBeingWoken) {
  const char* wanted = std::getenv("WEIR_STRESS");
  const int rounds = wanted ? std::atoi(wanted) : 2;
  for (int round = 0; round < rounds; ++round)
    for (const std::string& moment : moments) ASSERT_NO_FATAL_FAILURE(stop_in(moment));
  EXPECT_THAT(wrong_, testing::IsEmpty());
  EXPECT_LT(refused_ * 2, stops_) << "the looks must mostly prove";
  for (const char* always :
       {"runtime.closechan", "runtime.send", "sync.runtime_notifyListNotifyAll"})
    EXPECT_GT(reached_[always], 0) << always;
  std::printf("%d stops in %zu functions, %d refused\n", stops_, reached_.size() - given_up_.size(),
              refused_);
}

// The case above can fail. Timers and registers are the only ones that know a channel at some of
// these moments; how often that shows is told in tools/proof-stress.
TEST_P(ForcedStopTest, SeesWhatIsLeftOut) {
  using gortime::RootKind;
  const bool stress = std::getenv("WEIR_STRESS") != nullptr;
  for (const RootKind kind : {RootKind::goroutine, RootKind::timer, RootKind::registers}) {
    if (kind != RootKind::goroutine && !stress) continue;
    without_ = 1U << static_cast<unsigned>(kind);
    int seen = 0, looks = 0;
    for (int round = 0; round < (stress ? 10 : 1); ++round)
      for (const char* moment : {"runtime.closechan", "runtime.send", "main.afterFunc.func1"}) {
        wrong_.clear();
        ASSERT_NO_FATAL_FAILURE(stop_in(moment));
        seen += wrong_.empty() ? 0 : 1;
        ++looks;
      }
    std::printf("without kind %u: false in %d of %d looks\n", static_cast<unsigned>(kind), seen,
                looks);
    const bool must_show = kind == RootKind::goroutine;
    EXPECT_TRUE(seen > 0 || !must_show);
  }
}

WEIR_FOR_EACH_GO(ForcedStopTest);

}  // namespace
}  // namespace weir::live
