#pragma once
// Two traces compared, kind by kind, with a test that tells a change from noise.
#include <span>

#include "weir/analysis/trace_heat.h"
#include "weir/model/trace_diff.h"

namespace weir::analysis {

/// The probability that two sets of values of one source differ in rank as much as these do
/// (Mann–Whitney U, two-sided, normal approximation with ties). 1 when either has fewer than 8.
double rank_test(std::span<const double> one, std::span<const double> other);

/// Waits next to each other in time are not independent of each other, so their number says little:
/// the test is on slices of time, with the typical wait of each slice as its value. A change is one
/// with a probability below 0.001 and a factor of at least 1.1.
model::TraceDiff compare_traces(const model::TraceReport& before, const TraceHeatTally& before_heat,
                                const model::TraceReport& after, const TraceHeatTally& after_heat);

}  // namespace weir::analysis
