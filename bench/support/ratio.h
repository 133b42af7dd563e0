#pragma once
// A benchmark of weir is a ratio: its own time against something else's on the same input in the
// same run, so that the machine and what else it does cancel out.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>

namespace weir::bench {

/// Seconds that `work` takes: the least of several calls, enough of them to fill 20 ms.
double least_seconds(const std::function<void()>& work);

/// Runs `work` in the benchmark's loop and keeps the least time of one call.
double measure(benchmark::State& state, const std::function<void()>& work);

/// Adds the counter "x_NAME": how many times as long `own` took as the peer. A peer that is not to
/// be had here (0 seconds) is left out, and the label says so.
void add_ratio(benchmark::State& state, const std::string& name, double own, double peer);

}  // namespace weir::bench
