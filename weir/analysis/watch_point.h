#pragma once
// From a Tally to the counts that a series is made of, and what changed between two of them.
#include <string>
#include <vector>

#include "weir/model/tally.h"
#include "weir/model/watch.h"

namespace weir::analysis {

/// `own_packages`: import paths whose code, and that below them, is the user's own; if there are
/// none, all that is outside the standard library.
model::WatchPoint watch_point(const model::Tally& tally, Nanos at,
                              const std::vector<std::string>& own_packages);

/// Groups that differ, largest growth first, then what shrank most.
std::vector<model::WatchChange> changes(const model::WatchPoint& first,
                                        const model::WatchPoint& now);

/// Whether the target must be another process than before: its process id or its build changed; or
/// it was not to be seen in between and came back with less than half of its goroutines. The
/// sentence tells which; empty if there is no sign.
std::string restart_sign(const model::Source& before, std::uint64_t total_before,
                         const model::Source& now, std::uint64_t total_now, bool missed_between);

}  // namespace weir::analysis
