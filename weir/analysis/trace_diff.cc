#include "weir/analysis/trace_diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace weir::analysis {

using model::TraceChange;
using model::TraceDiff;
using model::TraceDiffRow;
using model::TraceHeat;
using model::TraceReport;
using model::TraceSection;

namespace {

constexpr std::size_t least_slices = 8;
constexpr std::uint64_t least_in_slice = 5;
constexpr double small_probability = 0.001;
constexpr double least_factor = 1.1;

struct Ranked {
  double value;
  bool first;
};

std::vector<double> slices_of(const TraceHeat& heat) {
  std::vector<double> values;
  for (std::size_t column = 0; column < heat.columns.size(); ++column) {
    const auto& counts = heat.columns[column];
    if (std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) < least_in_slice) continue;
    values.push_back(heat.mean_log(column));
  }
  return values;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

const TraceSection* find_section(const TraceReport& report, model::TraceKind kind) {
  for (const TraceSection& section : report.sections)
    if (section.kind == kind || (section.scheduling && is_scheduling(kind))) return &section;
  return nullptr;
}

void fill(TraceDiffRow& row, std::size_t side, const TraceSection* section) {
  if (section == nullptr) return;
  row.count[side] = section->waits.count;
  row.total[side] = section->waits.total;
  row.p50[side] = section->waits.percentile(0.5);
  row.p99[side] = section->waits.percentile(0.99);
  row.longest[side] = section->waits.longest;
}

}  // namespace

double rank_test(std::span<const double> one, std::span<const double> other) {
  if (one.size() < least_slices || other.size() < least_slices) return 1;
  std::vector<Ranked> all;
  for (const double value : one) all.push_back({value, true});
  for (const double value : other) all.push_back({value, false});
  std::ranges::sort(all, {}, &Ranked::value);
  const auto n = static_cast<double>(all.size());
  const auto n1 = static_cast<double>(one.size()), n2 = static_cast<double>(other.size());
  double rank_sum = 0, ties = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].value == all[i].value) ++end;
    const auto same = static_cast<double>(end - i);
    const double rank = static_cast<double>(i) + (same + 1) / 2;
    for (; i < end; ++i)
      if (all[i].first) rank_sum += rank;
    ties += same * same * same - same;
  }
  const double u = rank_sum - n1 * (n1 + 1) / 2;
  const double variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(u - n1 * n2 / 2) - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

TraceDiff compare_traces(const TraceReport& before, const TraceHeatTally& before_heat,
                         const TraceReport& after, const TraceHeatTally& after_heat) {
  TraceDiff diff;
  diff.summaries[0] = before.summary;
  diff.summaries[1] = after.summary;
  for (std::size_t i = 0; i < model::trace_kind_count; ++i) {
    const auto kind = static_cast<model::TraceKind>(i);
    if (is_scheduling(kind) && kind != model::TraceKind::woken) continue;
    const TraceSection* sections[2] = {find_section(before, kind), find_section(after, kind)};
    if (sections[0] == nullptr && sections[1] == nullptr) continue;
    TraceDiffRow row;
    row.kind = is_scheduling(kind) ? "scheduling" : std::string(to_string(kind));
    fill(row, 0, sections[0]);
    fill(row, 1, sections[1]);
    const auto one = slices_of(before_heat.heat(kind)), other = slices_of(after_heat.heat(kind));
    if (one.size() >= least_slices && other.size() >= least_slices) {
      row.probability = rank_test(one, other);
      row.factor = std::exp2(mean(other) - mean(one));
      const bool changed = row.probability < small_probability &&
                           std::max(row.factor, 1 / row.factor) >= least_factor;
      row.change = !changed         ? TraceChange::noise
                   : row.factor > 1 ? TraceChange::longer
                                    : TraceChange::shorter;
    }
    diff.rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(diff.rows, [](const TraceDiffRow& a, const TraceDiffRow& b) {
    const auto rank = [](const TraceDiffRow& row) {
      return row.change == TraceChange::longer ? 0 : row.change == TraceChange::shorter ? 1 : 2;
    };
    return rank(a) != rank(b) ? rank(a) < rank(b)
                              : std::max(a.total[0], a.total[1]) > std::max(b.total[0], b.total[1]);
  });
  return diff;
}

}  // namespace weir::analysis
