#include "weir/sched/steps.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace weir::sched {
namespace {

/// What the stretches touch, one after the other.
class Toucher {
 public:
  Toucher(const RunRecord& record, const Performed& performed)
      : record_(record), performed_(performed) {}

  Footprint touch(const Stretch& stretch) {
    Footprint all = stretch.hidden ? Footprint::everything() : Footprint{};
    Before& before = before_[stretch.goroutine.value];
    // It may end what it began then: a lock that it waited for, a case of a select.
    if (!stretch.at_operation || before.lasts) all.add(before.touches);
    for (std::size_t i = stretch.from; i < stretch.to; ++i) {
      const std::uint32_t event = performed_.events[i];
      all.add(footprint_of(record_, event));
      if (is_lasting(record_.events[event])) before.lasts = true;
    }
    before.touches = all.is_everything() ? Footprint::everything() : all;
    return before.touches;
  }

 private:
  struct Before {
    Footprint touches;
    bool lasts = false;
  };
  const RunRecord& record_;
  const Performed& performed_;
  std::unordered_map<std::uint64_t, Before> before_;  ///< by goid
};

}  // namespace

std::optional<Steps> Steps::of(const RunRecord& record) {
  const Performed performed = perform(record);
  if (!performed.regular) return std::nullopt;
  Steps steps;
  steps.add_steps(record, performed);
  steps.find_enablers(record);
  steps.order();
  return steps;
}

std::size_t Steps::number_of(Goid goroutine) {
  const auto found = std::find(goroutines_.begin(), goroutines_.end(), goroutine);
  const auto number = static_cast<std::size_t>(found - goroutines_.begin());
  if (found == goroutines_.end()) goroutines_.push_back(goroutine);
  return number;
}

void Steps::add_steps(const RunRecord& record, const Performed& performed) {
  Toucher toucher(record, performed);
  for (const Stretch& stretch : performed.stretches) {
    Step step{stretch.goroutine, toucher.touch(stretch), stretch.moment, {}};
    for (std::size_t i = stretch.from; i < stretch.to; ++i) {
      const RunEvent& event = record.events[performed.events[i]];
      if (event.kind == agent::PointKind::select && event.alternatives > 1)
        step.selects.push_back(performed.events[i]);
    }
    owner_.push_back(number_of(step.goroutine));
    steps_.push_back(std::move(step));
  }
  // What ends the program keeps everything else from happening.
  if (!steps_.empty() && record.ending != Ending::deadlock)
    steps_.back().touches = Footprint::everything();
}

// Who can run now and could not at the moment before was started or woken by what ran in between:
// nothing else happens in a test without timers.
void Steps::find_enablers(const RunRecord& record) {
  std::unordered_map<std::uint64_t, std::size_t> enabler;  // by goid, until it runs
  std::unordered_set<std::uint64_t> before;
  enabled_by_.resize(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].moment) continue;
    const auto goids = record.goids_of(record.moments[*steps_[i].moment]);
    if (i > 0)
      for (const std::uint64_t goid : goids)
        if (!before.contains(goid)) enabler[goid] = i - 1;
    before = {goids.begin(), goids.end()};
    const auto mine = enabler.find(steps_[i].goroutine.value);
    if (mine == enabler.end()) continue;
    enabled_by_[i] = mine->second;
    enabler.erase(mine);
  }
}

void Steps::order() {
  std::vector<std::optional<std::size_t>> last(goroutines_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    order(i, last[owner_[i]]);
    last[owner_[i]] = i;
  }
}

// From the last one backwards: what happens before one that was met already is no race.
void Steps::order(std::size_t number, std::optional<std::size_t> before) {
  std::vector<std::size_t> clock(goroutines_.size(), 0);
  const auto follow = [&](std::size_t other) {
    for (std::size_t g = 0; g < clock.size(); ++g) clock[g] = std::max(clock[g], clocks_[other][g]);
  };
  if (before) follow(*before);
  if (enabled_by_[number]) follow(*enabled_by_[number]);
  for (std::size_t i = number; i-- > 0;) {
    if (clock[owner_[i]] > i || !steps_[i].touches.meets(steps_[number].touches)) continue;
    races_.push_back({i, number});
    follow(i);
  }
  clock[owner_[number]] = number + 1;
  clocks_.push_back(std::move(clock));
}

bool Steps::happens_before(std::size_t a, std::size_t b) const {
  return clocks_[b][owner_[a]] > a;
}

std::vector<Goid> Steps::reversals(const Race& race) const {
  std::vector<std::size_t> rest;  // what happened and not because of race.first
  for (std::size_t i = race.first + 1; i <= race.second; ++i)
    if (i == race.second || !happens_before(race.first, i)) rest.push_back(i);
  std::vector<Goid> all;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    // It follows from none of the others, and is thereby the first of its goroutine.
    const bool is_first =
        std::none_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](std::size_t other) { return happens_before(other, rest[i]); });
    if (!is_first) continue;
    const auto where = rest[i] == race.second ? all.begin() : all.end();
    all.insert(where, steps_[rest[i]].goroutine);
  }
  return all;
}

}  // namespace weir::sched
