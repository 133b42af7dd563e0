#include "weir/sched/footprint.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::sched {
namespace {

/// An operation touches [object - before, object + after). What consists of several words that are
/// operated on one by one (runtime.RWMutex: 24 bytes; Cond: its notify list is 16 bytes in) gets
/// so much room that all of them meet, in whichever way a Go version lays them out.
struct Rule {
  std::string_view prefix;
  std::uint64_t before, after;
};
constexpr std::array rules{
    Rule{"chan send", 0, 1},
    Rule{"chan receive", 0, 1},
    Rule{"try chan send", 0, 1},
    Rule{"try chan receive", 0, 1},
    Rule{"close", 0, 1},
    Rule{"sync.(*Mutex).", 0, 1},
    Rule{"sync.(*RWMutex).", 24, 24},
    Rule{"sync.(*WaitGroup).", 16, 16},
    Rule{"sync.(*Cond).", 24, 40},
};

// Atomic operations of the program's own are none of these: who loads the word is not seen.
const Rule* find_rule(std::string_view operation) {
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& one) {
    return one.prefix.back() == '.' ? operation.starts_with(one.prefix) : operation == one.prefix;
  });
  return rule == rules.end() ? nullptr : &*rule;
}

Footprint of_select(const RunRecord& record, std::uint32_t event) {
  const auto cases = std::lower_bound(
      record.selects.begin(), record.selects.end(), event,
      [](const SelectChannels& one, std::uint32_t wanted) { return one.event < wanted; });
  if (cases == record.selects.end() || cases->event != event) return Footprint::everything();
  Footprint all;
  for (const std::uint64_t channel : std::span(record.log).subspan(cases->at, cases->count))
    if (channel != 0) all.add(channel, channel + 1);
  return all;
}

}  // namespace

Footprint Footprint::everything() {
  Footprint all;
  all.everything_ = true;
  return all;
}

void Footprint::add(const Footprint& other) {
  everything_ = everything_ || other.everything_;
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

bool Footprint::meets(const Footprint& other) const {
  if (everything_ || other.everything_) return true;
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& mine) {
    return std::any_of(other.ranges_.begin(), other.ranges_.end(),
                       [&](const Range& its) { return mine.from < its.to && its.from < mine.to; });
  });
}

Footprint footprint_of(const RunRecord& record, std::uint32_t event) {
  const RunEvent& operation = record.events[event];
  // Which case a select takes: the channels are those of the operation before.
  if (operation.kind == agent::PointKind::select) return {};
  if (operation.hook == nullptr) return Footprint::everything();
  if (operation.hook->name == "select") return of_select(record, event);
  const Rule* const rule = find_rule(operation.hook->name);
  if (rule == nullptr || operation.object == 0) return Footprint::everything();
  const std::uint64_t object = record.objects[operation.object - 1].value;
  Footprint one;
  one.add(object - std::min(object, rule->before), object + rule->after);
  return one;
}

bool is_lasting(const RunEvent& event) {
  return event.hook != nullptr && event.hook->name.starts_with("sync.(*Once).");
}

}  // namespace weir::sched
