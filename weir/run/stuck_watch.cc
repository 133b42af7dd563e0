#include "weir/run/stuck_watch.h"

#include <algorithm>

namespace weir::run {

namespace {

/// A stuck Go program still uses a little: its sysmon thread looks around, at most 100 times a
/// second, before it sleeps for long. CPU time is counted in ticks of 10 ms.
constexpr std::int64_t idle_cpu = 10'000'000;

}  // namespace

bool StuckWatch::looks_still(const std::vector<Glance>& all) const {
  return std::all_of(all.begin(), all.end(), [](const Glance& glance) {
    using model::Status;
    return glance.system || glance.status == Status::waiting || glance.status == Status::syscall ||
           glance.status == Status::leaked;
  });
}

bool StuckWatch::tick(Nanos now, Nanos cpu,
                      const std::function<std::optional<std::vector<Glance>>()>& glance) {
  if (after_.value <= 0) return false;
  const bool idle = last_cpu_ && cpu.value - last_cpu_->value <= idle_cpu;
  last_cpu_ = cpu;
  if (!idle) {
    reset();
    return false;
  }
  auto all = glance();
  const bool still = all && looks_still(*all);
  if (!still || !still_since_ || *all != last_) {
    reset();
    if (still) still_since_ = now;
    if (all) last_ = std::move(*all);
    return false;
  }
  if (now.value - still_since_->value < after_.value) return false;
  reset();
  return true;
}

}  // namespace weir::run
