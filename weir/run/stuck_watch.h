#pragma once
// StuckWatch: notices that a program has stopped moving.
#include <functional>
#include <vector>

#include "weir/run/program.h"

namespace weir::run {

/// Fed about once a second. It asks for a glance at the goroutines (which costs something) only
/// while the process uses no CPU time, and never stops anything.
class StuckWatch {
 public:
  /// `after`: how long nothing must have moved; 0 = never report.
  explicit StuckWatch(Nanos after) : after_(after) {}

  /// `now` on any clock that only goes forward; `cpu` is what the process has used. True if no
  /// goroutine moved for the whole of `after`; it then starts afresh. A glance that gives nothing
  /// counts as movement.
  bool tick(Nanos now, Nanos cpu,
            const std::function<std::optional<std::vector<Glance>>()>& glance);
  /// Something happened: start afresh.
  void reset() { still_since_.reset(); }

 private:
  bool looks_still(const std::vector<Glance>& all) const;

  Nanos after_;
  std::optional<Nanos> last_cpu_;
  std::optional<Nanos> still_since_;
  std::vector<Glance> last_;
};

}  // namespace weir::run
