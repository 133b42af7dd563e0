#include "weir/analysis/stuck.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "weir/analysis/filter.h"
#include "weir/analysis/fingerprint.h"
#include "weir/analysis/group.h"
#include "weir/analysis/own_power.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Blocking;
using model::Certainty;
using model::ChannelCase;
using model::Direction;
using model::Goroutine;
using model::Snapshot;
using model::StuckDiagnosis;
using model::StuckLine;
using model::WaitKind;

namespace {

constexpr std::size_t max_reasons = 10;

/// What a goroutine waits on, as one identity: two that have the same side of the same object can
/// not wake each other. Empty when not known.
std::string side_of(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return {};
  const Blocking& blocked = *goroutine.blocked_on;
  if (blocked.object) return to_hex(blocked.object);
  if (blocked.cases.size() != 1) return {};
  const ChannelCase& one = blocked.cases.front();
  return (one.direction == Direction::send ? "send " : "receive ") + to_hex(one.channel.address);
}

/// A timer that runs a function may do anything; the others only ready goroutines that already
/// count as sleeping, waiting for IO or for a timer's channel. The alarm is go test's -timeout.
bool wakes(const PendingTimer& timer) {
  if (timer.calls.starts_with("testing.(*M).startAlarm")) return false;
  return timer.function.empty() || timer.function == "time.goFunc";
}

std::string what_of(const Goroutine& goroutine) {
  if (waits_for_test(goroutine)) return "waits for a test to end";
  if (goroutine.blocked_on) return "waits: " + model::describe(*goroutine.blocked_on);
  return "waits: " + model::state_of(goroutine);
}

class Diagnosis {
 public:
  Diagnosis(const Snapshot& snapshot, const WakeFacts& facts)
      : snapshot_(snapshot), facts_(facts) {}

  StuckDiagnosis make() {
    sort_goroutines();
    for (const PendingTimer& timer : facts_.timers) {
      if (wakes(timer))
        powers_.push_back("a timer will call " +
                          (timer.calls.empty() ? std::string("a function") : timer.calls));
    }
    made_.stuck = powers_.empty() && !parked_.empty();
    for (const std::size_t index : parked_) waiters_of_[side_of(at(index))].push_back(index);
    add_lines();
    if (made_.stuck) {
      add_cycles();
      weigh();
    } else {
      made_.can_wake.assign(powers_.begin(), powers_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                   powers_.size(), max_reasons)));
    }
    made_.headline = headline();
    return std::move(made_);
  }

 private:
  const Snapshot& snapshot_;
  const WakeFacts& facts_;
  StuckDiagnosis made_;
  std::vector<std::size_t> parked_;   ///< user goroutines that cannot go on by themselves
  std::vector<std::size_t> helpers_;  ///< of those, the ones that are not just test runners
  std::vector<std::string> powers_;   ///< what can still move
  std::map<std::string, std::vector<std::size_t>> waiters_of_;

  const Goroutine& at(std::size_t index) const { return snapshot_.goroutines[index]; }

  void sort_goroutines() {
    for (std::size_t i = 0; i < snapshot_.goroutines.size(); ++i) {
      const Goroutine& goroutine = at(i);
      const Ignored why = ignored(goroutine, {}, {});
      if (why == Ignored::system || why == Ignored::signals || why == Ignored::tracer) continue;
      const std::string power = words_of(power_of(goroutine, false), goroutine);
      if (!power.empty()) {
        powers_.push_back(fmt::format("goroutine {} {}", goroutine.id.value, power));
        continue;
      }
      parked_.push_back(i);
      if (!waits_for_test(goroutine)) helpers_.push_back(i);
    }
  }

  /// The parked goroutines that do not wait for the same side of the same thing as `index`: the
  /// only ones that could ever wake it. nullopt when it is not known what it waits on.
  std::optional<std::vector<std::size_t>> wakers(std::size_t index) const {
    const std::string side = side_of(at(index));
    if (side.empty()) return std::nullopt;
    const std::vector<std::size_t>& same = waiters_of_.at(side);
    std::vector<std::size_t> others;
    for (const std::size_t helper : helpers_) {
      if (!std::binary_search(same.begin(), same.end(), helper)) others.push_back(helper);
      if (others.size() > 1) break;  // more are of no use to anyone
    }
    return others;
  }

  std::string could_wake(std::size_t index) const {
    if (waits_for_test(at(index))) return {};
    const auto others = wakers(index);
    if (!others || others->size() > 1) return {};
    if (others->empty()) return "nobody: no other goroutine is left";
    const Goroutine& other = at(others->front());
    return fmt::format("only goroutine {}, which itself {}", other.id.value, what_of(other));
  }

  void add_lines() {
    for (const Group& same : group(snapshot_, parked_)) {
      // Goroutines in the same place may wait on different objects: one line an object.
      std::map<std::string, StuckLine> by_side;
      for (const std::size_t member : same.members) {
        StuckLine& line = by_side[side_of(at(member))];
        if (line.goroutines.empty()) {
          line.what = what_of(at(member));
          line.where = user_place(at(member));
          if (made_.stuck) line.could_wake = could_wake(member);
        }
        line.goroutines.push_back(at(member).id);
      }
      for (auto& [side, line] : by_side) made_.lines.push_back(std::move(line));
    }
  }

  void add_cycles() {
    for (const std::size_t one : helpers_) {
      const auto others = wakers(one);
      if (!others || others->size() != 1 || others->front() <= one) continue;
      const std::size_t other = others->front();
      const auto back = wakers(other);
      if (!back || back->size() != 1 || back->front() != one) continue;
      made_.cycles.push_back(
          fmt::format("goroutine {} {}; goroutine {} {}; each is the only one "
                      "left that could wake the other",
                      at(one).id.value, what_of(at(one)), at(other).id.value, what_of(at(other))));
    }
    if (helpers_.size() > 1000) return;  // quadratic, and such a list helps nobody
    for (const std::size_t parent : helpers_) {
      if (wait_kind(at(parent)) == WaitKind::wait_group) add_wait_group_circle(parent);
    }
  }

  /// wg.Wait() before the results are received: the waiter's children all wait to send.
  void add_wait_group_circle(std::size_t parent) {
    std::size_t senders = 0;
    for (const std::size_t child : helpers_) {
      if (at(child).created.by != at(parent).id) continue;
      if (wait_kind(at(child)) == WaitKind::channel_send) ++senders;
    }
    if (senders == 0) return;
    made_.cycles.push_back(
        fmt::format("goroutine {} waits for a WaitGroup, and {} that it started wait{} to send; "
                    "it may be the one that would receive",
                    at(parent).id.value, senders == 1 ? "a goroutine" : fmt::format("{}", senders),
                    senders == 1 ? "s" : ""));
  }

  void weigh() {
    made_.certainty = Certainty::likely;
    if (!facts_.timers_known) {
      made_.certainty = Certainty::possible;
      made_.weakened_by = "the runtime's timers are not known: one of them may call a function";
    }
    if (snapshot_.partial || !snapshot_.consistent) {
      made_.certainty = Certainty::possible;
      if (!made_.weakened_by.empty()) made_.weakened_by += "; ";
      made_.weakened_by += snapshot_.partial ? "the snapshot is partial"
                                             : "the goroutines were not read at one instant";
    }
  }

  std::string headline() const {
    if (parked_.empty() && powers_.empty()) return "There is no goroutine to wait for.";
    if (made_.stuck) {
      return fmt::format(
          "Nothing in the process can make progress: {} {} on what only another goroutine can "
          "give.",
          parked_.size() == 1 ? "the only goroutine"
                              : fmt::format("all {} goroutines", parked_.size()),
          parked_.size() == 1 ? "waits" : "wait");
    }
    return fmt::format("Not stuck: {}.", powers_.front());
  }
};

}  // namespace

StuckDiagnosis diagnose_stuck(const Snapshot& snapshot, const WakeFacts& facts) {
  return Diagnosis(snapshot, facts).make();
}

}  // namespace weir::analysis
