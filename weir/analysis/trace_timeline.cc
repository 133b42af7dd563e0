#include "weir/analysis/trace_timeline.h"

#include <algorithm>

namespace weir::analysis {

using model::TraceInterval;
using model::TraceKind;
using model::TraceLane;
using model::TraceSpell;

void TraceWorst::take(const TraceInterval& interval) {
  if (interval.system) {
    // A goroutine from before the trace is known as the runtime's only when it shows its stack.
    total_.erase(interval.goroutine);
    return;
  }
  const TraceKind kind = is_scheduling(interval.kind) ? TraceKind::woken : interval.kind;
  if (kind != kind_) return;
  total_[interval.goroutine] += std::max<std::int64_t>(interval.duration(), 0);
  if (total_.size() > most_goroutines) forget_half();
}

std::vector<std::pair<std::int64_t, std::uint64_t>> TraceWorst::ranked() const {
  std::vector<std::pair<std::int64_t, std::uint64_t>> all;
  all.reserve(total_.size());
  for (const auto& [goroutine, nanos] : total_) all.emplace_back(-nanos, goroutine);
  std::ranges::sort(all);
  return all;
}

void TraceWorst::forget_half() {
  const auto all = ranked();
  for (std::size_t i = all.size() / 2; i < all.size(); ++i) total_.erase(all[i].second);
}

std::vector<std::uint64_t> TraceWorst::worst(std::size_t count) const {
  std::vector<std::uint64_t> goroutines;
  for (const auto& [nanos, goroutine] : ranked()) {
    if (goroutines.size() == count) break;
    goroutines.push_back(goroutine);
  }
  return goroutines;
}

TraceTimelineTally::TraceTimelineTally(const std::vector<std::uint64_t>& goroutines, Nanos from,
                                       Nanos to) {
  timeline_.from = from.value;
  timeline_.to = std::max(to.value, from.value);
  timeline_.finest = std::max<std::int64_t>((timeline_.to - timeline_.from) / slices, 1);
  for (const std::uint64_t goroutine : goroutines) {
    if (!lane_of_.emplace(goroutine, timeline_.lanes.size()).second) continue;
    timeline_.lanes.emplace_back().goroutine = goroutine;
  }
}

void TraceTimelineTally::take(const TraceInterval& interval) {
  if (interval.kind == TraceKind::gc_assist) return;
  if (interval.end < timeline_.from || interval.begin > timeline_.to) return;
  const auto lane = lane_of_.find(interval.goroutine);
  if (lane != lane_of_.end()) add(timeline_.lanes[lane->second], interval);
}

namespace {

void add_part(TraceSpell& spell, TraceKind kind, std::int64_t nanos) {
  for (auto& [known, time] : spell.parts) {
    if (known != kind) continue;
    time += nanos;
    return;
  }
  spell.parts.emplace_back(kind, nanos);
}

}  // namespace

void TraceTimelineTally::add(TraceLane& lane, const TraceInterval& interval) const {
  TraceSpell spell;
  spell.begin = std::max(interval.begin, timeline_.from);
  spell.end = std::max(std::min(interval.end, timeline_.to), spell.begin);
  spell.kind = interval.kind;
  spell.stack = interval.stack;
  spell.waker = interval.waker;
  spell.open = interval.open;
  lane.start_stack = interval.start_stack;
  const std::int64_t nanos = spell.end - spell.begin;
  spell.parts.emplace_back(spell.kind, nanos);
  const auto is_short = [this](const TraceSpell& one) {
    return one.end - one.begin < timeline_.finest;
  };
  if (lane.spells.empty() || !is_short(spell) || !is_short(lane.spells.back()) ||
      spell.begin - lane.spells.back().end >= timeline_.finest) {
    lane.spells.push_back(std::move(spell));
    return;
  }
  TraceSpell& merged = lane.spells.back();
  merged.end = std::max(merged.end, spell.end);
  merged.open = spell.open;
  ++merged.intervals;
  add_part(merged, spell.kind, nanos);
}

model::TraceTimeline TraceTimelineTally::finish() {
  for (TraceLane& lane : timeline_.lanes)
    for (TraceSpell& spell : lane.spells) {
      std::ranges::stable_sort(spell.parts, std::greater{},
                               &std::pair<TraceKind, std::int64_t>::second);
      spell.kind = spell.parts.front().first;
      if (spell.intervals == 1) spell.parts.clear();
    }
  return std::move(timeline_);
}

void TraceFilter::take(const TraceInterval& interval) {
  if (wanted_(interval)) to_.take(interval);
}

}  // namespace weir::analysis
