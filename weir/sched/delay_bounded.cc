#include "weir/sched/delay_bounded.h"

#include "weir/base/assert.h"

namespace weir::sched {
namespace {

constexpr std::size_t most_kept = 1'000'000;

}  // namespace

DelayBounded::DelayBounded(unsigned last) : last_(last) {
  waiting_[0].emplace_back();
}

// Bounds below the first with something left are done, unless schedules of theirs still run.
void DelayBounded::close_bounds() {
  if (!running_.empty()) return;
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
  WEIR_ASSERT(!level.empty());
  const Deviations& current = running_.emplace_back(std::move(level.front()));
  level.pop_front();
  ++tried_;
  std::vector<std::uint32_t> choices(current.empty() ? 0 : current.back().first + 1, 0);
  for (const auto& [point, choice] : current) choices[point] = choice;
  return choices;
}

// What follows the last deviation was Go's own order, but where a turn was too long
// (agent::Decider::longest_turn): every other choice there is a new schedule.
// One whose cost is above the last bound is not kept, but known to exist.
void DelayBounded::learn(const RunRecord& record) {
  std::uint32_t point = 0;
  const Deviations current = std::move(running_.front());
  running_.pop_front();
  const std::uint32_t from = current.empty() ? 0 : current.back().first + 1;
  for (const RunEvent& event : record.events) {
    if (event.alternatives < 2) continue;
    const std::uint32_t at = point++;
    if (at < from) continue;
    for (std::uint32_t choice = 1; choice < event.alternatives; ++choice) {
      if (choice == event.choice) continue;
      const unsigned cost = bound_ + choice;
      if (cost > last_) {
        waiting_[last_ + 1];  // remembers that there is more
        break;
      }
      if (++kept_ > most_kept) {
        overflowed_ = true;
        return;
      }
      Deviations more = current;
      more.emplace_back(at, choice);
      waiting_[cost].push_back(std::move(more));
    }
  }
  close_bounds();
}

bool DelayBounded::ready() const {
  if (running_.empty() || bound_ > last_) return true;
  const auto level = waiting_.find(bound_);
  return level != waiting_.end() && !level->second.empty();
}

}  // namespace weir::sched
