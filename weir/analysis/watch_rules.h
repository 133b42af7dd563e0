#pragma once
// The rules of `weir watch`: which counts of a series are a reason for an alarm.
#include <span>
#include <vector>

#include "weir/model/watch.h"

namespace weir::analysis {

/// Whether `last` is more than `first` by more than chance: by at least `noise` standard deviations
/// of the difference between two independent Poisson numbers with these means.
bool exceeds_noise(std::uint64_t first, std::uint64_t last, double noise);

/// Every rule that the newest of `points` crosses. `points` are the looks since the beginning or
/// the target's last restart, oldest first.
std::vector<model::RuleHit> check(std::span<const model::WatchPoint> points,
                                  const model::WatchRules& rules);

/// How many goroutines the group had at the last `most` points.
std::vector<std::uint64_t> counts_of(std::span<const model::WatchPoint> points,
                                     const std::string& group, std::size_t most);

}  // namespace weir::analysis
