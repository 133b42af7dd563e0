// Copies of a running Go program by an injected clone(): target/fork_copy.h, on programs that get a
// signal every moment.
#include "weir/target/fork_copy.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "tests/support/go_test_case.h"
#include "weir/gortime/injection_site.h"
#include "weir/ingest/live.h"
#include "weir/target/live_memory.h"
#include "weir/target/process.h"

namespace weir::live {
namespace {

using target::ForkCopy;
using test_support::Child;

class ForkCopyTest : public test_support::GoTest {};

/// Takes copies of one program.
class Copier {
 public:
  static Result<Copier> open(int pid) {
    WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
    WEIR_TRY(auto memory, target::LiveMemory::open(pid));
    Copier copier{pid, std::move(reader), std::move(memory), {}};
    WEIR_TRY(copier.code_, gortime::find_injection_code(copier.reader_.program(), copier.memory_));
    return copier;
  }

  Result<target::InjectionSite> choose(const target::StoppedProcess& stop) {
    return choose_among(stop.threads());
  }
  Result<target::InjectionSite> choose_among(std::span<const target::StoppedThread> threads) {
    return gortime::choose_injection_thread(code_, reader_.program(), memory_, threads,
                                            [](int tid) { return tid; });
  }
  Result<ForkCopy> take() {
    return ForkCopy::take(pid_, {.max_stop = Nanos{60'000'000'000}},
                          [this](const target::StoppedProcess& stop) { return choose(stop); });
  }
  const gortime::Program& program() const { return reader_.program(); }

 private:
  Copier(int pid, ingest::LiveReader reader, target::LiveMemory memory, target::InjectionSite code)
      : pid_(pid), reader_(std::move(reader)), memory_(std::move(memory)), code_(code) {}
  int pid_;
  ingest::LiveReader reader_;
  target::LiveMemory memory_;
  target::InjectionSite code_;
};

/// Every way of passing a baton still works.
void expect_alive(Child& child) {
  for (int i = 0; i < 2; ++i) {  // the first count is of the time before
    usleep(50'000);
    const std::string all = child.out();  // before asking: the answer may come at once
    const auto before = std::count(all.begin(), all.end(), '\n');
    ASSERT_TRUE(child.write("\n").has_value());
    std::string line;
    for (int wait = 0; wait < 60'000; ++wait) {
      const std::string now = child.out();
      if (std::count(now.begin(), now.end(), '\n') > before) {
        const auto end = now.rfind('\n');
        line = now.substr(now.rfind('\n', end - 1) + 1, end);
        break;
      }
      usleep(1000);
      if (!child.running()) break;
    }
    ASSERT_THAT(line, testing::HasSubstr("passed")) << child.err();
  }
}

TEST_P(ForkCopyTest, IsAFrozenCopyAndHarmsNobody) {
  WEIR_BUILD_GO(program, go(), "batons");
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(Copier copier, Copier::open(child.pid()));
  const int rounds = std::getenv("WEIR_STRESS") ? std::atoi(std::getenv("WEIR_STRESS")) : 10;
  std::int64_t worst = 0, sum = 0;
  int reaped = 0;
  for (int i = 0; i < rounds; ++i) {
    WEIR_ASSERT_OK(ForkCopy copy, copier.take());
    worst = std::max(worst, copy.held().value);
    sum += copy.held().value;
    // The collector's cycle count moves on in the program, and never in the copy.
    const Address sweepgen =
        copier.program().globals().mheap + copier.program().layout().mheap.sweepgen;
    WEIR_ASSERT_OK(const auto first, copy.memory().read<std::uint32_t>(sweepgen));
    usleep(3000);
    WEIR_ASSERT_OK(const auto second, copy.memory().read<std::uint32_t>(sweepgen));
    EXPECT_EQ(first, second);
    EXPECT_FALSE(copy.threads().empty());
    if (copy.end()) ++reaped;
    ASSERT_TRUE(child.running()) << "round " << i << ": " << child.err();
  }
  std::printf("%d copies: stop %.2f ms on average, %.2f ms at most; %d reaped\n", rounds,
              static_cast<double>(sum) / rounds / 1e6, static_cast<double>(worst) / 1e6, reaped);
  EXPECT_EQ(reaped, rounds);
  expect_alive(child);
}

/// Lets one of the threads that `may_use` is true of go with everything still changed, as when weir
/// is killed right then: it makes the call itself, its child exits, and it goes on. False if none
/// could be used.
bool let_go_in_the_middle(Child& child, Copier& copier,
                          const std::function<bool(const target::StoppedThread&)>& may_use) {
  bool done = false;
  const auto stopped = target::while_stopped(child.pid(), {}, [&](target::StoppedProcess& stop) {
    std::vector<target::StoppedThread> usable;
    std::copy_if(stop.threads().begin(), stop.threads().end(), std::back_inserter(usable), may_use);
    const auto site = copier.choose_among(usable);
    if (!site) return;
    auto injection = target::Injection::prepare(child.pid(), *site);
    done = injection && injection->begin(SYS_clone, {0, 0, 0, 0, 0, 0});
  });
  EXPECT_TRUE(stopped.has_value());
  return done;
}

TEST_P(ForkCopyTest, AThreadLetGoInTheMiddleRestoresItself) {
  WEIR_BUILD_GO(program, go(), "batons");
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(Copier copier, Copier::open(child.pid()));
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    if (let_go_in_the_middle(child, copier, [](const auto&) { return true; })) ++done;
    ASSERT_TRUE(child.running()) << child.err();
  }
  EXPECT_GT(done, 0);
  expect_alive(child);
}

// The same with a thread that computes: what it has in its vector registers is still there.
TEST_P(ForkCopyTest, AThreadLetGoInTheMiddleKeepsItsVectorRegisters) {
  if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "the processor has no AVX2";
  WEIR_BUILD_GO(program, go(), "vectors");
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(Copier copier, Copier::open(child.pid()));
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    const auto computes = [](const target::StoppedThread& thread) {
      return thread.has_registers && thread.registers.syscall < 0;
    };
    if (let_go_in_the_middle(child, copier, computes)) ++done;
    usleep(10'000);
    ASSERT_TRUE(child.running()) << "round " << i << ": the value of a register has changed";
  }
  EXPECT_GT(done, 0);
}

// kill -9 of whoever makes the copies, at any moment.
TEST_P(ForkCopyTest, TheProgramSurvivesTheEndOfWeir) {
  WEIR_BUILD_GO(program, go(), "batons");
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const int rounds = std::getenv("WEIR_STRESS") ? std::atoi(std::getenv("WEIR_STRESS")) : 8;
  for (int i = 0; i < rounds; ++i) {
    const pid_t copying = fork();
    if (copying == 0) {
      auto copier = Copier::open(child.pid());
      while (copier) (void)copier->take();
      _exit(1);
    }
    usleep(static_cast<useconds_t>(20'000 + rand() % 60'000));
    kill(copying, SIGKILL);
    int status = 0;
    waitpid(copying, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the copies failed before the kill";
    ASSERT_TRUE(child.running()) << "round " << i << ": " << child.err();
  }
  expect_alive(child);
}

WEIR_FOR_EACH_GO(ForkCopyTest);

}  // namespace
}  // namespace weir::live
