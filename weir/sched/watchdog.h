#pragma once
// Watchdog: ends a process that reaches no more points of its schedule, and says why it did not.
#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "weir/base/address.h"

namespace weir::sched {

struct WatchdogLimits {
  Nanos cpu{1'000'000'000};     ///< CPU time without a point: it spins
  Nanos asleep{2'000'000'000};  ///< wall time with every thread asleep: it waits for the outside
};

/// One thread that watches one process at a time. Time that weir or the process only wait for a CPU
/// does not count, so that a loaded machine changes no verdict.
class Watchdog {
 public:
  explicit Watchdog(WatchdogLimits limits = {});
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// `reached` grows with each point that is reached; it must stay until stop().
  void watch(pid_t pid, const std::uint64_t& reached);
  /// To be called before the process is collected. Why it was killed, if it was.
  std::optional<std::string> stop();

 private:
  void loop();
  std::optional<std::string> look();

  WatchdogLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  pid_t pid_ = 0;  ///< 0 = none
  const std::uint64_t* reached_ = nullptr;
  std::uint64_t points() const { return __atomic_load_n(reached_, __ATOMIC_RELAXED); }
  bool over_ = false;
  std::optional<std::string> verdict_;
  std::uint64_t seen_points_ = 0;
  Nanos cpu_then_{0};
  Nanos asleep_since_{0};  ///< 0 = not asleep
  std::thread thread_;
};

}  // namespace weir::sched
