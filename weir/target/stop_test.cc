#include "weir/target/stop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/child.h"
#include "weir/target/live_memory.h"
#include "weir/target/process.h"

namespace weir::target {
namespace {

using test_support::Child;

Child start(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WEIR_TARGET_PROGRAM);
  auto child = Child::start(arguments);
  if (!child) throw std::runtime_error(to_string(child.error()));
  auto line = child->wait_for_line("ready");
  if (!line) throw std::runtime_error(to_string(line.error()));
  return std::move(*child);
}

std::vector<ThreadFacts> threads_of(int pid) {
  return read_threads(pid).value();
}

/// The states of all threads, e.g. "SSR".
std::string states(int pid) {
  std::string out;
  const auto threads = read_threads(pid);
  if (!threads) return "gone";
  for (const ThreadFacts& thread : *threads) out += thread.state;
  return out;
}

bool any_traced(int pid) {
  const auto facts = read_process(pid);
  return facts && (facts->tracer_pid != 0 || states(pid).find('t') != std::string::npos);
}

/// Bounds that a machine with much else to do can keep.
StopOptions patient() {
  StopOptions options;
  options.max_stop = Nanos{10'000'000'000};
  return options;
}

/// The child's stdin is closed; it must end by itself, in order.
void expect_unharmed(Child& child) {
  child.close_stdin();
  const auto exit = child.wait();
  ASSERT_TRUE(exit.has_value()) << to_string(exit.error());
  EXPECT_EQ(to_string(*exit), "exit 0");
}

TEST(Stop, HoldsEveryThreadAndLetsThemGo) {
  Child child = start({"spin", "3"});
  const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
    EXPECT_EQ(states(child.pid()), "tttt");
    ASSERT_EQ(stopped.threads().size(), 4U);
    const auto tids = list_threads(child.pid()).value();
    for (std::size_t i = 0; i < tids.size(); ++i) {
      EXPECT_EQ(stopped.threads()[i].tid, tids[i]);
      EXPECT_EQ(stopped.threads()[i].kind, StopKind::interrupted);
      EXPECT_TRUE(stopped.threads()[i].has_registers);
    }
    EXPECT_TRUE(stopped.holds());
    EXPECT_TRUE(stopped.unstopped().empty());
    const Nanos held = stopped.release();
    EXPECT_FALSE(stopped.holds());
    EXPECT_EQ(stopped.release(), held);
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  EXPECT_GT(report->held.value, 0);
  EXPECT_FALSE(report->forced);
  EXPECT_FALSE(any_traced(child.pid()));
  expect_unharmed(child);
}

TEST(Stop, RegistersAreOfTheThread) {
  Child child = start({"sleep", "2"});
  const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
    for (const StoppedThread& thread : stopped.threads()) {
      // "NR args… sp pc" of a thread in a system call; proc_pid_syscall(5).
      char path[64];
      std::snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", child.pid(), thread.tid);
      FILE* file = std::fopen(path, "r");
      ASSERT_NE(file, nullptr);
      long number = -1;
      unsigned long sp = 0;
      unsigned long pc = 0;
      ASSERT_EQ(std::fscanf(file, "%ld %*s %*s %*s %*s %*s %*s %lx %lx", &number, &sp, &pc), 3);
      std::fclose(file);
      EXPECT_EQ(thread.registers.syscall, number);
      EXPECT_EQ(thread.registers.sp.value, sp);
      EXPECT_EQ(thread.registers.pc.value, pc);
    }
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  expect_unharmed(child);
}

/// A thread writes i to two words, one after the other; at no instant do they differ by more than
/// one, and they don't change while it stands.
TEST(Stop, MemoryIsOfOneInstant) {
  Child child = start({"pair", "1"});
  const std::string line = child.wait_for_line("pair").value();
  const Address at{std::stoull(line.substr(5), nullptr, 16)};
  LiveMemory live = LiveMemory::open(child.pid()).value();
  for (int i = 0; i < 50; ++i) {
    const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
      FrozenMemory frozen = stopped.freeze(live);
      const auto first = frozen.read<std::array<std::uint64_t, 2>>(at);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      const auto second = frozen.read<std::array<std::uint64_t, 2>>(at);
      ASSERT_TRUE(first.has_value() && second.has_value());
      EXPECT_EQ(*first, *second);
      EXPECT_LE((*first)[0] - (*first)[1], 1U);
      stopped.release();
      EXPECT_EQ(frozen.read<std::uint64_t>(at).error().code, ErrorCode::limit);
    });
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
  }
  expect_unharmed(child);
}

TEST(Stop, CatchesThreadsThatStartMeanwhile) {
  Child child = start({"churn", "3"});
  for (int i = 0; i < 100; ++i) {
    const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
      std::set<int> held;
      for (const StoppedThread& thread : stopped.threads()) held.insert(thread.tid);
      for (const ThreadFacts& thread : threads_of(child.pid())) {
        if (thread.state == 'Z' || thread.state == 'X') continue;
        EXPECT_EQ(thread.state, 't') << thread.tid;
        EXPECT_TRUE(held.contains(thread.tid)) << thread.tid;
      }
    });
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
  }
  EXPECT_FALSE(any_traced(child.pid()));
  expect_unharmed(child);
}

/// "sent A B handled C D": nothing lost, nothing twice.
void expect_no_signal_lost(Child& child) {
  child.close_stdin();
  const auto exit = child.wait();
  ASSERT_TRUE(exit.has_value()) << to_string(exit.error());
  EXPECT_EQ(to_string(*exit), "exit 0");
  const std::string out = child.out();
  long sent[2] = {};
  long handled[2] = {};
  const std::size_t at = out.find("sent ");
  ASSERT_NE(at, std::string::npos) << out;
  ASSERT_EQ(std::sscanf(out.c_str() + at, "sent %ld %ld handled %ld %ld", &sent[0], &sent[1],
                        &handled[0], &handled[1]),
            4);
  EXPECT_GT(sent[0], 100);
  EXPECT_EQ(sent[0], handled[0]) << "SIGUSR1";
  EXPECT_EQ(sent[1], handled[1]) << "SIGRTMIN";
}

TEST(Stop, LosesNoSignalIn1000Stops) {
  Child child = start({"signals"});
  int at_delivery = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
      for (const StoppedThread& thread : stopped.threads()) {
        at_delivery += thread.kind == StopKind::signal;
      }
    });
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
  }
  EXPECT_GT(at_delivery, 0) << "the test never met the case it is about";
  expect_no_signal_lost(child);
}

TEST(Stop, MaxStopIsKeptWhateverTheReaderDoes) {
  Child child = start({"spin", "2"});
  StopOptions options;
  options.max_stop = Nanos{200'000'000};
  const auto report = while_stopped(child.pid(), options, [&](StoppedProcess& stopped) {
    EXPECT_TRUE(stopped.holds());
    while (stopped.holds()) {  // a reader that never looks at the clock
    }
    EXPECT_TRUE(stopped.forced());
    EXPECT_EQ(states(child.pid()).find('t'), std::string::npos);
    EXPECT_GE(std::chrono::steady_clock::now(), stopped.deadline());
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  EXPECT_TRUE(report->forced);
  EXPECT_GE(report->held.value, 200'000'000);
  EXPECT_FALSE(any_traced(child.pid()));
  expect_unharmed(child);
}

TEST(Stop, TooShortABoundIsAnErrorAndReleases) {
  Child child = start({"spin", "2"});
  StopOptions options;
  options.max_stop = Nanos{1};
  const auto report = while_stopped(child.pid(), options, [](StoppedProcess&) { FAIL(); });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::limit);
  EXPECT_FALSE(any_traced(child.pid()));
  expect_unharmed(child);
}

TEST(Stop, AJobStoppedProcessStaysStopped) {
  Child child = start({"sleep", "2"});
  ASSERT_TRUE(child.signal(SIGSTOP).has_value());
  while (states(child.pid()) != "TTT") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int i = 0; i < 20; ++i) {
    const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
      ASSERT_EQ(stopped.threads().size(), 3U);
      for (const StoppedThread& thread : stopped.threads()) {
        EXPECT_EQ(thread.kind, StopKind::job_control);
        EXPECT_TRUE(thread.has_registers);
      }
    });
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
    while (states(child.pid()).find('t') != std::string::npos) std::this_thread::yield();
    // The kernel takes the threads back into the stop one by one, without running user code.
    while (states(child.pid()) != "TTT") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(child.signal(SIGCONT).has_value());
  expect_unharmed(child);
}

TEST(Stop, SignalsToStopAndContinueThatArriveMeanwhile) {
  Child child = start({"sleep", "1"});
  ASSERT_TRUE(while_stopped(child.pid(), patient(), [&](StoppedProcess&) {
                kill(child.pid(), SIGSTOP);
              }).has_value());
  while (states(child.pid()) != "TT") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(while_stopped(child.pid(), patient(), [&](StoppedProcess&) {
                kill(child.pid(), SIGCONT);
              }).has_value());
  while (states(child.pid()) != "SS") std::this_thread::sleep_for(std::chrono::milliseconds(1));
  expect_unharmed(child);
}

TEST(Stop, AMainThreadThatHasExited) {
  Child child = start({"outlive"});
  ASSERT_EQ(states(child.pid())[0], 'Z');
  const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
    EXPECT_EQ(stopped.threads().size(), 1U);
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  expect_unharmed(child);
}

TEST(Stop, AThreadInUninterruptibleSleepIsLeftAndNamed) {
  Child child = start({"vfork"});
  int sleeping = 0;
  for (const ThreadFacts& thread : threads_of(child.pid())) {
    if (thread.state == 'D') sleeping = thread.tid;
  }
  ASSERT_NE(sleeping, 0) << states(child.pid());
  const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
    EXPECT_EQ(stopped.threads().size(), 1U);
    ASSERT_EQ(stopped.unstopped().size(), 1U);
    EXPECT_EQ(stopped.unstopped()[0], sleeping);
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  EXPECT_EQ(report->unstopped, std::vector<int>{sleeping});
  EXPECT_FALSE(any_traced(child.pid()));
  // The child of the vfork ends; the thread must run on, not stand where weir once asked it to.
  child.close_stdin();
  for (;;) {
    const std::string now = states(child.pid());
    ASSERT_EQ(now.find('t'), std::string::npos) << now;
    if (now == "S") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(Stop, JustSomeThreads) {
  Child child = start({"spin", "3"});
  const auto tids = list_threads(child.pid()).value();
  const std::vector<int> some = {tids[1], tids[3], 0x3fffff};
  const auto report = while_stopped(child.pid(), some, patient(), [&](StoppedProcess& stopped) {
    ASSERT_EQ(stopped.threads().size(), 2U);
    EXPECT_EQ(stopped.threads()[0].tid, tids[1]);
    EXPECT_EQ(stopped.threads()[1].tid, tids[3]);
    const std::string now = states(child.pid());
    EXPECT_EQ(now[1], 't');
    EXPECT_NE(now[2], 't');
    EXPECT_EQ(now[3], 't');
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  expect_unharmed(child);
}

TEST(Stop, AnotherTracerIsNamed) {
  Child child = start({"sleep", "1"});
  const auto outer = while_stopped(child.pid(), patient(), [&](StoppedProcess&) {
    const auto inner = while_stopped(child.pid(), patient(), [](StoppedProcess&) { FAIL(); });
    ASSERT_FALSE(inner.has_value());
    EXPECT_EQ(inner.error().code, ErrorCode::denied);
    EXPECT_NE(inner.error().what.find("is already traced by process " + std::to_string(getpid())),
              std::string::npos)
        << to_string(inner.error());
    ASSERT_FALSE(inner.error().context.empty());
  });
  ASSERT_TRUE(outer.has_value());
  expect_unharmed(child);
}

TEST(Stop, AProcessThatHasEnded) {
  Child child = start({"sleep"});
  const int pid = child.pid();
  expect_unharmed(child);
  const auto report = while_stopped(pid, patient(), [](StoppedProcess&) { FAIL(); });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::gone) << to_string(report.error());
}

TEST(Stop, AProcessThatIsKilledMeanwhile) {
  Child child = start({"sleep", "3"});
  const auto report = while_stopped(child.pid(), patient(), [&](StoppedProcess& stopped) {
    kill(child.pid(), SIGKILL);
    while (states(child.pid()) != "ZZZZ") std::this_thread::yield();
    stopped.release();
  });
  ASSERT_TRUE(report.has_value()) << to_string(report.error());
  EXPECT_EQ(to_string(child.wait().value()), "signal 9 (Killed)");
}

/// weir is killed at moments spread over the whole of a stop; the target keeps running, stays
/// untraced, and gets every signal, also those that were just being delivered.
TEST(Stop, KillingWeirAtAnyMomentHarmsNothing) {
  Child child = start({"signals"});
  for (int i = 0; i < 100; ++i) {
    const pid_t weir = fork();
    if (weir == 0) {
      for (;;) {
        auto stopped = StoppedProcess::stop(child.pid(), patient());
        if (!stopped) _exit(0);
        usleep(static_cast<useconds_t>(i % 7) * 30);
      }
    }
    usleep(static_cast<useconds_t>(500 + (i * 37) % 1500));
    kill(weir, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(weir, &status, 0), weir);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  EXPECT_FALSE(any_traced(child.pid()));
  expect_no_signal_lost(child);
}

TEST(Stop, CostsNoMemoryLeakAndNoThread) {
  Child child = start({"sleep", "1"});
  const auto before = list_threads(getpid()).value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(while_stopped(child.pid(), patient(), [](StoppedProcess&) {}).has_value());
  }
  EXPECT_EQ(list_threads(getpid()).value(), before);
  expect_unharmed(child);
}

TEST(WhileStopped, PassesExceptionsOnAndReleases) {
  Child child = start({"sleep", "1"});
  EXPECT_THROW((void)while_stopped(child.pid(), patient(),
                                   [](StoppedProcess&) { throw std::runtime_error("x"); }),
               std::runtime_error);
  EXPECT_FALSE(any_traced(child.pid()));
  expect_unharmed(child);
}

}  // namespace
}  // namespace weir::target
