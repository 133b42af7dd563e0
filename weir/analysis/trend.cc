#include "weir/analysis/trend.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "weir/analysis/fingerprint.h"

namespace weir::analysis {

using model::Movement;
using model::Tally;
using model::TallyEntry;
using model::TrendReport;
using model::TrendRow;

namespace {

constexpr double nanos_per_minute = 60e9;
/// Over less, one goroutine that happens to be there looks like thousands a minute.
constexpr Nanos shortest_for_rate{1'000'000'000};

Movement movement_of(std::uint64_t first, std::uint64_t last) {
  if (first == last) return Movement::same;
  if (first == 0) return Movement::is_new;
  if (last == 0) return Movement::gone;
  return last > first ? Movement::grown : Movement::shrunk;
}

std::optional<Nanos> span_of(std::span<const Tally> tallies) {
  const auto first = tallies.front().source.taken_at;
  const auto last = tallies.back().source.taken_at;
  if (!first || !last || *last <= *first) return std::nullopt;
  return Nanos{last->value - first->value};
}

std::int64_t growth(const TrendRow& row) {
  return static_cast<std::int64_t>(row.counts.back()) -
         static_cast<std::int64_t>(row.counts.front());
}

/// Growth first, then what shrank, then what stayed; the larger change first.
bool comes_before(const TrendRow& a, const TrendRow& b) {
  const std::int64_t left = growth(a), right = growth(b);
  if ((left > 0) != (right > 0)) return left > 0;
  if (std::abs(left) != std::abs(right)) return std::abs(left) > std::abs(right);
  if (a.counts.back() != b.counts.back()) return a.counts.back() > b.counts.back();
  return a.fingerprint.key < b.fingerprint.key;
}

void judge(TrendRow& row, std::optional<Nanos> span) {
  row.movement = movement_of(row.counts.front(), row.counts.back());
  row.monotonic = row.counts.size() >= 3 && growth(row) > 0 &&
                  std::is_sorted(row.counts.begin(), row.counts.end());
  if (span && *span >= shortest_for_rate)
    row.per_minute =
        static_cast<double>(growth(row)) / (static_cast<double>(span->value) / nanos_per_minute);
}

/// What all of them know; says what is left out because only some do.
FingerprintParts parts_of(std::span<const Tally> tallies, Notes& notes) {
  const auto count = [&](auto knows) {
    return std::count_if(tallies.begin(), tallies.end(), knows);
  };
  const auto all = static_cast<std::ptrdiff_t>(tallies.size());
  const auto creator = count([](const Tally& tally) { return tally.knows.creator; });
  const auto wait = count([](const Tally& tally) { return tally.knows.wait; });
  if (creator != 0 && creator != all)
    notes.add(Severity::info, "compared without creators, since a profile does not have them");
  if (wait != 0 && wait != all)
    notes.add(Severity::info, "compared without states, since debug=1 does not print them");
  return {wait == all, creator == all};
}

}  // namespace

TrendReport trend(std::span<const Tally> tallies) {
  TrendReport report;
  const FingerprintParts parts = parts_of(tallies, report.notes);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    const Tally& tally = tallies[i];
    report.sources.push_back(tally.source);
    report.totals.push_back(tally.total());
    report.notes.merge(tally.notes);
    for (const TallyEntry& entry : tally.entries) {
      model::Goroutine goroutine = entry.exemplar;
      if (!parts.creator) goroutine.created = {};
      model::Fingerprint print = fingerprint(goroutine, parts);
      const auto [place, is_new] = places.try_emplace(print.key, report.rows.size());
      if (is_new) {
        report.rows.emplace_back();
        report.rows.back().fingerprint = std::move(print);
        report.rows.back().counts.resize(tallies.size());
      }
      TrendRow& row = report.rows[place->second];
      row.counts[i] += entry.count;
      row.exemplar = std::move(goroutine);
    }
  }
  if (!tallies.empty()) report.span = span_of(tallies);
  for (TrendRow& row : report.rows) judge(row, report.span);
  std::sort(report.rows.begin(), report.rows.end(), comes_before);
  return report;
}

}  // namespace weir::analysis
