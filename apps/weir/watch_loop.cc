#include "apps/weir/watch_loop.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>

namespace weir::app {
namespace {

constexpr int look_poll_ms = 20;               // while a look is under way
constexpr std::int64_t longest_nap_ms = 1000;  // the wall clock may be set

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

int nap(const std::vector<WatchedTarget>& targets) {
  std::int64_t wait = longest_nap_ms;
  const Nanos clock = now();
  for (const WatchedTarget& target : targets) {
    if (target.looking()) return look_poll_ms;
    if (target.due())
      wait = std::min(wait,
                      std::max<std::int64_t>(0, target.due()->value - clock.value) / 1'000'000 + 1);
  }
  return static_cast<int>(wait);
}

/// Lets looks that are under way come to their end and drops what they bring.
void drop_looks(std::vector<WatchedTarget>& targets, std::atomic<bool>& cancelled) {
  cancelled.store(true);
  for (WatchedTarget& target : targets) target.drop_look();
}

}  // namespace

Nanos now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  return Nanos{std::chrono::duration_cast<std::chrono::nanoseconds>(time).count()};
}

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::~StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool StopSignals::wait(int milliseconds) {
  const sigset_t set = stop_set();
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  came_ = came_ || sigtimedwait(&set, nullptr, &time) > 0;
  return came_;
}

Result<void> watch_all(std::vector<WatchedTarget>& targets, ingest::EvidenceOptions options,
                       store::History& history, StopSignals& signals, const OnLook& on_look) {
  std::atomic<bool> cancelled = false;
  options.http.cancelled = &cancelled;
  const auto step = [&](WatchedTarget& target) -> Result<void> {
    if (!target.looking()) {
      if (target.due() && *target.due() <= now()) target.start_look(options);
      return {};
    }
    WEIR_TRY(const auto look, target.finish_look(history, now()));
    if (!look) return {};
    WEIR_TRY_VOID(on_look(target, *look));
    return target.due() ? Result<void>() : target.end(history);
  };
  while (std::any_of(targets.begin(), targets.end(), [](const WatchedTarget& target) {
    return target.due() || target.looking();
  })) {
    if (signals.wait(nap(targets))) break;
    for (WatchedTarget& target : targets) {
      if (auto stepped = step(target); !stepped) {
        drop_looks(targets, cancelled);
        return stepped;
      }
    }
  }
  drop_looks(targets, cancelled);
  return {};
}

}  // namespace weir::app
