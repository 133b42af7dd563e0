#include "weir/analysis/watch_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "weir/analysis/watch_point.h"

namespace weir::analysis {

using model::RuleHit;
using model::WatchPoint;
using model::WatchRules;

namespace {

using Points = std::span<const WatchPoint>;
using Counts = std::vector<std::uint64_t>;

/// A rise or fall must be there at two looks in a row.
constexpr std::size_t confirmed = 2;
constexpr std::size_t most_shown = 8;
/// "Any growth" of the user's own code still has to be more than one standard deviation.
constexpr double own_noise = 1;

std::uint64_t count_of(const WatchPoint& point, const std::string& group) {
  const auto found = point.groups.find(group);
  return found == point.groups.end() ? 0 : found->second.count;
}

std::uint64_t median(Counts counts) {
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  return *middle;
}

template <class Number>
Counts counts(Points points, Number number) {
  Counts all;
  for (const WatchPoint& point : points) all.push_back(number(point));
  return all;
}

std::string arrows(const Counts& counts) {
  return fmt::format("{}", fmt::join(counts, " → "));
}

/// The group that grew most from the first to the last point, if one did.
const std::string* largest_growth(Points points, bool serving_only, std::string& id) {
  for (const auto& change : changes(points.front(), points.back())) {
    if (change.now <= change.first) return nullptr;
    if (serving_only && !points.back().groups.at(change.fingerprint.id).serves) continue;
    id = change.fingerprint.id;
    return &id;
  }
  return nullptr;
}

bool outside(std::uint64_t steady, std::uint64_t now, double percent, double noise) {
  const auto low = std::min(steady, now), high = std::max(steady, now);
  const double difference = static_cast<double>(high - low);
  return difference > static_cast<double>(steady) * percent / 100 &&
         exceeds_noise(low, high, noise);
}

void parked_growth(Points points, const WatchRules& rules, std::vector<RuleHit>& hits) {
  if (!rules.parked_growth || points.size() < rules.baseline + confirmed) return;
  const Counts all = counts(points, [](const WatchPoint& point) { return point.parked; });
  const Counts before(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rules.baseline));
  const std::uint64_t steady = median(before);
  const std::uint64_t now = std::min(all.back(), all[all.size() - confirmed]);
  const std::uint64_t most = *std::max_element(before.begin(), before.end());
  if (now < most || all.back() < all[all.size() - confirmed]) return;
  if (!outside(steady, now, *rules.parked_growth, rules.noise) ||
      !exceeds_noise(most, now, rules.noise))
    return;
  std::string id;
  if (largest_growth(points, false, id) == nullptr) return;
  hits.push_back({"parked-growth", id,
                  fmt::format("{} goroutines are parked, and {} were in the steady state",
                              all.back(), steady)});
}

void connections(Points points, const WatchRules& rules, std::vector<RuleHit>& hits) {
  if (!rules.connections || points.size() < rules.baseline + confirmed) return;
  const Counts all = counts(points, [](const WatchPoint& point) { return point.connections; });
  const Counts before(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rules.baseline));
  const std::uint64_t steady = median(before);
  const auto leaves = [&](std::uint64_t count) {
    return outside(steady, count, *rules.connections, rules.noise);
  };
  if (std::any_of(before.begin(), before.end(), leaves)) return;  // there is no steady state
  const std::uint64_t last = all.back(), previous = all[all.size() - confirmed];
  if (!leaves(last) || !leaves(previous) || (last > steady) != (previous > steady)) return;
  std::string id;
  if (last > steady) largest_growth(points, true, id);
  hits.push_back({"http-conns", id,
                  fmt::format("{} connections are served (net/http.(*conn).serve), and {} were in "
                              "the steady state; the band is ±{:g} %",
                              last, steady, *rules.connections)});
}

void own_growth(Points points, const WatchRules& rules, std::vector<RuleHit>& hits) {
  if (!rules.own_growth || points.size() < rules.baseline + *rules.own_growth) return;
  for (const auto& [id, group] : points.back().groups) {
    if (!group.own) continue;
    const Counts all =
        counts(points, [&id = id](const WatchPoint& point) { return count_of(point, id); });
    const auto split = all.end() - static_cast<std::ptrdiff_t>(*rules.own_growth);
    const std::uint64_t most = *std::max_element(all.begin(), split);
    if (*split <= most || !std::is_sorted(split, all.end())) continue;
    if (!exceeds_noise(most, all.back(), own_noise)) continue;
    hits.push_back({"own-growth", id,
                    fmt::format("the program's own code has {} goroutines here, and never had more "
                                "than {} before the last {} looks",
                                all.back(), most, *rules.own_growth)});
  }
}

void monotonic(Points points, const WatchRules& rules, std::vector<RuleHit>& hits) {
  if (!rules.monotonic || points.size() < std::max<std::size_t>(*rules.monotonic, 2)) return;
  for (const auto& [id, group] : points.back().groups) {
    std::size_t from = points.size() - 1, steps = 0;
    for (; from > 0; --from) {
      const std::uint64_t later = count_of(points[from], id);
      const std::uint64_t earlier = count_of(points[from - 1], id);
      if (earlier > later) break;
      steps += later > earlier ? 1 : 0;
    }
    const std::size_t looks = points.size() - from;
    const std::uint64_t first = count_of(points[from], id);
    // One step up is a new level, not growth.
    if (looks < *rules.monotonic || steps < std::min<std::size_t>(2, looks - 1)) continue;
    if (!exceeds_noise(first, group.count, rules.noise)) continue;
    const Counts shown = counts_of(points, id, std::min(looks, most_shown));
    hits.push_back({"monotonic", id,
                    fmt::format("it never shrank over {} looks: {}{}", looks,
                                looks > shown.size() ? "… " : "", arrows(shown))});
  }
}

void one_line(Points points, const WatchRules& rules, std::vector<RuleHit>& hits) {
  if (!rules.one_line) return;
  for (const auto& [place, line] : points.back().lines) {
    if (line.count < *rules.one_line) continue;
    hits.push_back({"one-line", line.fingerprint,
                    fmt::format("{} goroutines are blocked at {}", line.count, place)});
  }
}

}  // namespace

bool exceeds_noise(std::uint64_t first, std::uint64_t last, double noise) {
  if (last <= first) return false;
  const double sum = static_cast<double>(first) + static_cast<double>(last);
  return static_cast<double>(last - first) >= noise * std::sqrt(sum);
}

std::vector<RuleHit> check(Points points, const WatchRules& rules) {
  std::vector<RuleHit> hits;
  if (points.empty()) return hits;
  for (const auto rule : {one_line, monotonic, own_growth, parked_growth, connections})
    rule(points, rules, hits);
  return hits;
}

Counts counts_of(Points points, const std::string& group, std::size_t most) {
  return counts(points.subspan(points.size() - std::min(most, points.size())),
                [&](const WatchPoint& point) { return count_of(point, group); });
}

}  // namespace weir::analysis
