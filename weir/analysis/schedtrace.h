#pragma once
// Verdicts on a scheduler, from the lines of GODEBUG=schedtrace.
#include <vector>

#include "weir/model/schedtrace.h"

namespace weir::analysis {

/// How many samples in a row make a verdict: one alone is a moment.
constexpr std::size_t samples_for_verdict = 3;

/// Figures over all samples and verdicts on runs of them. Each run is looked at by itself.
model::SchedReport judge_schedule(std::vector<model::SchedSample> samples);

}  // namespace weir::analysis
