#include "bench/support/ratio.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace weir::bench {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

double least_seconds(const std::function<void()>& work) {
  constexpr double enough = 0.02;
  double least = std::numeric_limits<double>::infinity();
  double all = 0;
  while (all < enough) {
    const double took = seconds_of(work);
    least = std::min(least, took);
    all += took;
  }
  return least;
}

double measure(benchmark::State& state, const std::function<void()>& work) {
  double least = std::numeric_limits<double>::infinity();
  for ([[maybe_unused]] auto _ : state) least = std::min(least, seconds_of(work));
  return least;
}

void add_ratio(benchmark::State& state, const std::string& name, double own, double peer) {
  if (peer > 0) {
    state.counters["x_" + name] = own / peer;
  } else {
    state.SetLabel("no " + name + " here");
  }
}

}  // namespace weir::bench
