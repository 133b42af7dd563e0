#include <algorithm>

#include "weir/sched/search.h"

namespace weir::sched {
namespace {

using Choices = std::vector<std::uint32_t>;

/// Tries choices, and keeps them if they give the ending that is wanted.
class Shrinker {
 public:
  Shrinker(TestRunner& runner, Ending ending, std::size_t budget)
      : runner_(runner), ending_(ending), budget_(budget) {}

  /// What the run really chose, if it ended as wanted.
  Result<std::optional<Choices>> attempt(const Choices& choices) {
    if (used_ >= budget_) return std::optional<Choices>{};
    ++used_;
    WEIR_TRY(const RunRecord record, runner_.run(FixedChooser(choices)));
    if (record.ending != ending_) return std::optional<Choices>{};
    return std::optional(record.choices());
  }
  std::size_t used() const { return used_; }

 private:
  TestRunner& runner_;
  Ending ending_;
  std::size_t budget_;
  std::size_t used_ = 0;
};

std::vector<std::size_t> deviations_of(const Choices& choices) {
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i] != 0) points.push_back(i);
  return points;
}

void trim(Choices& choices) {
  while (!choices.empty() && choices.back() == 0) choices.pop_back();
}

}  // namespace

std::size_t count_deviations(const std::vector<std::uint32_t>& choices) {
  return deviations_of(choices).size();
}

Result<Choices> shrink(const TestBinary& binary, const RunOptions& run, Choices choices,
                       Ending ending, std::size_t runs, Watchdog& watchdog, std::size_t& used) {
  RunOptions options = run;
  options.at_end = nullptr;
  options.check = nullptr;
  TestRunner runner(binary, options, watchdog);
  return shrink(runner, std::move(choices), ending, runs, used);
}

Result<Choices> shrink(TestRunner& runner, Choices choices, Ending ending, std::size_t runs,
                       std::size_t& used) {
  Shrinker shrinker(runner, ending, runs);
  std::size_t pieces = 2;
  trim(choices);
  for (auto points = deviations_of(choices); !points.empty() && shrinker.used() < runs;) {
    pieces = std::min(pieces, points.size());
    bool smaller = false;
    for (std::size_t piece = 0; piece < pieces && !smaller; ++piece) {
      Choices fewer = choices;
      const std::size_t from = points.size() * piece / pieces;
      const std::size_t to = points.size() * (piece + 1) / pieces;
      for (std::size_t i = from; i < to; ++i) fewer[points[i]] = 0;
      WEIR_TRY(auto chosen, shrinker.attempt(fewer));
      if (!chosen || count_deviations(*chosen) >= points.size()) continue;
      choices = std::move(*chosen);
      trim(choices);
      smaller = true;
    }
    points = deviations_of(choices);
    if (smaller)
      pieces = std::max<std::size_t>(pieces - 1, 2);
    else if (pieces >= points.size())
      break;
    else
      pieces *= 2;
  }
  used += shrinker.used();
  return choices;
}

}  // namespace weir::sched
