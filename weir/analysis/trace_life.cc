#include "weir/analysis/trace_life.h"

#include <algorithm>

#include "weir/analysis/trace_tally.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::TraceInterval;
using model::TraceKind;
using model::TraceLife;
using model::TraceLifePart;

TraceLives::TraceLives(const model::TraceNames& names, const std::vector<std::uint64_t>& goroutines)
    : names_(names) {
  for (const std::uint64_t goroutine : goroutines) {
    if (!index_.emplace(goroutine, lives_.size()).second) continue;
    lives_.emplace_back().goroutine = goroutine;
  }
}

void TraceLives::take(const TraceInterval& interval) {
  if (interval.kind == TraceKind::gc_assist) return;
  const auto known = index_.find(interval.goroutine);
  if (known != index_.end()) add(lives_[known->second], interval);
}

void TraceLives::add(TraceLife& life, const TraceInterval& interval) const {
  const Nanos length{std::max<std::int64_t>(interval.duration(), 0)};
  if (!life.seen) {
    life.seen = true;
    life.first = Nanos{interval.begin};
    life.from_start = interval.from_start || interval.creation_stack == 0;
    if (interval.creation_stack != 0)
      life.created_by = place_of(stack_of(names_, interval.creation_stack));
  }
  if (const auto frames = names_.stack(interval.start_stack); !frames.empty())
    life.function = model::name_in_traceback(names_.function(frames.back()));
  life.last = std::max(life.last, Nanos{interval.end});
  life.ended = !interval.open;
  life.at_end = interval.kind;
  life.at_end_for = length;
  const TraceKind kind = is_scheduling(interval.kind) ? TraceKind::woken : interval.kind;
  auto part = std::ranges::find(life.parts, kind, &TraceLifePart::kind);
  if (part == life.parts.end()) part = life.parts.insert(part, {kind, 0, {}, {}});
  ++part->count;
  part->total.value += length.value;
  part->longest = std::max(part->longest, length);
}

std::vector<TraceLife> TraceLives::finish() {
  for (TraceLife& life : lives_)
    std::ranges::stable_sort(life.parts, std::greater{}, &TraceLifePart::total);
  return std::move(lives_);
}

}  // namespace weir::analysis
