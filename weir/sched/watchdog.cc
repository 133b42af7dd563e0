#include "weir/sched/watchdog.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "weir/target/process.h"

namespace weir::sched {
namespace {

constexpr std::chrono::milliseconds period{100};

Nanos now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return {time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

/// "system call 35" of the first thread that is in one other than futex and epoll_wait.
std::string blocking_call(pid_t pid, const std::vector<target::ThreadFacts>& threads) {
  std::string found = "no thread runs";
  for (const target::ThreadFacts& thread : threads) {
    std::ifstream file(fmt::format("/proc/{}/task/{}/syscall", pid, thread.tid));
    int number = -1;
    if (!(file >> number)) continue;
    constexpr int futex = 202;
    if (number != futex) found = fmt::format("it waits in system call {}", number);
  }
  return found;
}

}  // namespace

Watchdog::Watchdog(WatchdogLimits limits) : limits_(limits), thread_([this] { loop(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::watch(pid_t pid, const std::uint64_t& reached) {
  const std::lock_guard lock(mutex_);
  pid_ = pid;
  verdict_.reset();
  reached_ = &reached;
  seen_points_ = points();
  cpu_then_ = {0};
  asleep_since_ = {0};
}

std::optional<std::string> Watchdog::stop() {
  const std::lock_guard lock(mutex_);
  pid_ = 0;
  return std::move(verdict_);
}

void Watchdog::loop() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    changed_.wait_for(lock, period);
    if (over_ || pid_ == 0 || verdict_) continue;
    verdict_ = look();
    if (verdict_) kill(pid_, SIGKILL);
  }
}

std::optional<std::string> Watchdog::look() {
  const auto facts = target::read_process(pid_);
  const auto threads = target::read_threads(pid_);
  if (!facts || !threads) return std::nullopt;
  const bool asleep = std::all_of(threads->begin(), threads->end(), [](const auto& thread) {
    return thread.state == 'S' || thread.state == 'D';
  });
  const std::uint64_t now_reached = points();
  if (now_reached != seen_points_) {
    seen_points_ = now_reached;
    cpu_then_ = facts->cpu_time;
    asleep_since_ = {0};
    return std::nullopt;
  }
  if (!asleep) asleep_since_ = {0};
  if (asleep && asleep_since_.value == 0) asleep_since_ = now();
  if (facts->cpu_time.value - cpu_then_.value >= limits_.cpu.value)
    return fmt::format("a goroutine ran for {} without reaching a point where another could run",
                       to_text(limits_.cpu));
  if (asleep && now().value - asleep_since_.value >= limits_.asleep.value)
    return fmt::format("the program waits for something outside: {}",
                       blocking_call(pid_, *threads));
  return std::nullopt;
}

}  // namespace weir::sched
