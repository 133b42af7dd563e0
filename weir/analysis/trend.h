#pragma once
// What changed from one look at a program to the next.
#include <span>

#include "weir/model/top.h"

namespace weir::analysis {

/// Matches goroutines by fingerprint over `tallies`, in the order given (two at least). Where one
/// of them does not know who started a goroutine, or what it waits for, that is left out of all
/// fingerprints, and a note says so.
model::TrendReport trend(std::span<const model::Tally> tallies);

}  // namespace weir::analysis
