#include "weir/sched/delay_bounded.h"

#include "weir/base/assert.h"

namespace weir::sched {
namespace {

constexpr std::size_t most_kept = 1'000'000;

}  // namespace

DelayBounded::DelayBounded(unsigned last) : last_(last) {
  waiting_[0].emplace_back();
}

// Bounds below the first with something left are done.
void DelayBounded::close_bounds() {
  while (bound_ <= last_ && waiting_[bound_].empty()) {
    if (!overflowed_) {
      exhausted_ = bound_;
      exhausted_after_ = tried_;
    }
    waiting_.erase(bound_);
    if (waiting_.empty() && !overflowed_) {
      complete_ = true;
      bound_ = last_ + 1;
      return;
    }
    ++bound_;
  }
}

std::optional<std::vector<std::uint32_t>> DelayBounded::next() {
  if (complete_ || bound_ > last_) return std::nullopt;
  close_bounds();
  if (complete_ || bound_ > last_) return std::nullopt;
  auto& level = waiting_[bound_];
  current_ = std::move(level.front());
  level.pop_front();
  ++tried_;
  std::vector<std::uint32_t> choices(current_.empty() ? 0 : current_.back().first + 1, 0);
  for (const auto& [point, choice] : current_) choices[point] = choice;
  return choices;
}

// What follows the last deviation was Go's own order: every other choice there is a new schedule.
// One whose cost is above the last bound is not kept, but known to exist.
void DelayBounded::learn(const RunRecord& record) {
  std::uint32_t point = 0;
  const std::uint32_t from = current_.empty() ? 0 : current_.back().first + 1;
  for (const RunEvent& event : record.events) {
    if (event.alternatives < 2) continue;
    const std::uint32_t at = point++;
    if (at < from) continue;
    for (std::uint32_t choice = 1; choice < event.alternatives; ++choice) {
      const unsigned cost = bound_ + choice;
      if (cost > last_) {
        waiting_[last_ + 1];  // remembers that there is more
        break;
      }
      if (++kept_ > most_kept) {
        overflowed_ = true;
        return;
      }
      Deviations more = current_;
      more.emplace_back(at, choice);
      waiting_[cost].push_back(std::move(more));
    }
  }
  close_bounds();
}

}  // namespace weir::sched
