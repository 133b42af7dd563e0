#include "weir/sched/moments.h"

#include <cstring>
#include <numeric>
#include <optional>
#include <unordered_map>

namespace weir::sched {
namespace {

/// Follows the moments of a run.
class Follower {
 public:
  explicit Follower(const RunRecord& record) : record_(record) {
    result_.events.reserve(record.events.size());
    result_.stretches.reserve(record.moments.size());
  }

  Performed follow() {
    if (!record_.moments.empty()) follow_until(0, record_.moments.front().event);
    for (std::size_t i = 0; i < record_.moments.size() && result_.regular; ++i) {
      const Moment& moment = record_.moments[i];
      if (begin(i))
        follow_until(moment.event + (moment.asked ? 1U : 0U), end_of(i));
      else if (moment.event + 1 != end_of(i))
        result_.regular = false;
    }
    return std::move(result_);
  }

 private:
  std::size_t end_of(std::size_t moment) const {
    return moment + 1 < record_.moments.size() ? record_.moments[moment + 1].event
                                               : record_.events.size();
  }

  /// False if a timer fires first: who goes on is asked again.
  bool begin(std::size_t number) {
    const Moment& moment = record_.moments[number];
    Goid goes_on{record_.log[moment.at]};
    std::optional<std::uint32_t> operation;
    if (moment.asked) {
      const RunEvent& asked = record_.events[moment.event];
      if (asked.kind == agent::PointKind::operation) {
        if (asked.goroutine != goes_on || !runs(goes_on)) result_.regular = false;
        if (asked.choice == 0)
          operation = moment.event;
        else
          waits_[asked.goroutine.value] = moment.event;
      }
      if (asked.timer) return false;
      goes_on = asked.runs;
    }
    if (!operation) operation = take_waiting(goes_on);
    const std::size_t at = result_.events.size();
    result_.stretches.push_back(
        {goes_on, number, at, at, operation.has_value(), hidden_after(number)});
    if (operation) perform(*operation);
    return true;
  }

  /// The operation that it waits to perform.
  std::optional<std::uint32_t> take_waiting(Goid goroutine) {
    const auto waiting = waits_.find(goroutine.value);
    if (waiting == waits_.end()) return std::nullopt;
    const std::uint32_t event = waiting->second;
    waits_.erase(waiting);
    return event;
  }

  bool runs(Goid goroutine) const {
    return result_.stretches.empty() || result_.stretches.back().goroutine == goroutine;
  }

  bool hidden_after(std::size_t moment) const {
    return moment + 1 < record_.moments.size() ? record_.moments[moment + 1].hidden_before
                                               : record_.hidden_at_end;
  }

  void perform(std::uint32_t event) {
    result_.events.push_back(event);
    result_.stretches.back().to = result_.events.size();
  }

  void follow_until(std::size_t from, std::size_t to) {
    if (from < to && result_.stretches.empty())
      result_.stretches.push_back({record_.events[from].goroutine, {}, 0, 0, false, true});
    for (std::size_t i = from; i < to; ++i) {
      const RunEvent& event = record_.events[i];
      if (event.kind == agent::PointKind::resume ||
          event.goroutine != result_.stretches.back().goroutine)
        result_.regular = false;
      perform(static_cast<std::uint32_t>(i));
    }
  }

  const RunRecord& record_;
  Performed result_;
  std::unordered_map<std::uint64_t, std::uint32_t> waits_;  ///< by goid: its operation
};

bool is_in_order(const RunRecord& record) {
  std::size_t before = 0;
  for (const Moment& moment : record.moments) {
    const std::size_t last = record.events.size() - (moment.asked ? 1 : 0);
    if (moment.event < before || moment.event > last || record.events.size() < moment.asked)
      return false;
    before = moment.event + (moment.asked ? 1U : 0U);
  }
  return true;
}

}  // namespace

void read_log(std::span<const std::uint64_t> words, RunRecord& record) {
  constexpr std::size_t head_words = sizeof(agent::LogHead) / sizeof(std::uint64_t);
  record.log_whole = true;
  record.log.reserve(words.size());
  record.moments.reserve(words.size() / (head_words + 1));
  while (!words.empty()) {
    agent::LogHead head{};
    const bool has_head = words.size() >= head_words;
    if (has_head) std::memcpy(&head, words.data(), sizeof head);
    if (!has_head || head.count > words.size() - head_words || head.point > record.events.size()) {
      record.log_whole = false;
      return;
    }
    const auto values = words.subspan(head_words, head.count);
    const auto event = static_cast<std::uint32_t>(head.point);
    const auto at = static_cast<std::uint32_t>(record.log.size());
    record.log.insert(record.log.end(), values.begin(), values.end());
    if ((head.flags & agent::log_select) != 0)
      record.selects.push_back({event, at, head.count});
    else if (head.count != 0)
      record.moments.push_back({event, (head.flags & agent::log_asked) != 0,
                                (head.flags & agent::log_hidden) != 0, at, head.count});
    words = words.subspan(head_words + head.count);
  }
}

Performed perform(const RunRecord& record) {
  if (record.log_whole && !record.moments.empty() && is_in_order(record)) {
    Performed performed = Follower(record).follow();
    if (performed.regular) return performed;
  }
  Performed as_noted;
  as_noted.regular = false;
  as_noted.events.resize(record.events.size());
  std::iota(as_noted.events.begin(), as_noted.events.end(), 0U);
  return as_noted;
}

}  // namespace weir::sched
