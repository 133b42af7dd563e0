#include "weir/analysis/schedule_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "weir/analysis/own_power.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {
namespace {

using model::Blocking;
using model::EndGoroutine;
using model::Schedule;
using model::ScheduleStep;
using model::WaitKind;

constexpr std::uint64_t lock_size = 24;  // sync.RWMutex, the larger one, go1.19–1.27

/// Who has locked what, by object number.
using Holders = std::map<std::uint32_t, std::set<Goid>>;

Holders holders_of(const Schedule& schedule) {
  Holders holders;
  for (const ScheduleStep& step : schedule.steps) {
    if (step.object == 0) continue;
    std::set<Goid>& of = holders[step.object];
    if (step.operation.ends_with(").Lock") || step.operation.ends_with(").RLock"))
      of.insert(step.goroutine);
    else if (step.operation.ends_with(").Unlock"))
      of.clear();
    else if (step.operation.ends_with(").RUnlock"))
      of.erase(step.goroutine);
  }
  return holders;
}

bool is_lock(WaitKind kind) {
  return kind == WaitKind::mutex || kind == WaitKind::rwmutex_lock ||
         kind == WaitKind::rwmutex_rlock;
}

/// Addresses of known objects become their numbers.
std::string with_numbers(std::string text, const std::vector<Address>& objects) {
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string hex = to_hex(objects[i]);
    const auto at = text.find(hex);
    if (at != std::string::npos) text.replace(at, hex.size(), fmt::format("#{}", i + 1));
  }
  return text;
}

std::vector<Goid> holders_of_lock(const Blocking& blocking, Goid waiter, const Holders& holders,
                                  const std::vector<Address>& objects) {
  std::set<Goid> found;
  if (!is_lock(blocking.kind) || !blocking.object) return {};
  for (const auto& [number, who] : holders) {
    if (number > objects.size()) continue;
    const Address at = objects[number - 1];
    if (at >= blocking.object && at < blocking.object + lock_size)
      found.insert(who.begin(), who.end());
  }
  found.erase(waiter);
  return {found.begin(), found.end()};
}

/// From one waiter to a holder of what it waits for, until one comes again.
std::vector<Goid> find_cycle(const std::vector<EndGoroutine>& goroutines) {
  std::map<Goid, const EndGoroutine*> waiting;
  for (const EndGoroutine& one : goroutines) waiting[one.id] = &one;
  for (const EndGoroutine& first : goroutines) {
    std::vector<Goid> path{first.id};
    const EndGoroutine* at = &first;
    while (at != nullptr) {
      const EndGoroutine* next = nullptr;
      for (const Goid holder : at->waits_for)
        if (const auto found = waiting.find(holder); found != waiting.end() && found->second != at)
          next = found->second;
      if (next == nullptr) break;
      const auto again = std::find(path.begin(), path.end(), next->id);
      if (again != path.end()) return {again, path.end()};
      path.push_back(next->id);
      at = next;
    }
  }
  return {};
}

/// Drops from the holders those who wait for the very same lock and never got it.
void drop_waiters(std::vector<EndGoroutine>& goroutines,
                  const std::map<Goid, const Blocking*>& blocked) {
  for (EndGoroutine& one : goroutines) {
    const Blocking* own = blocked.at(one.id);
    std::erase_if(one.waits_for, [&](Goid holder) {
      const auto other = blocked.find(holder);
      return other != blocked.end() && other->second->object == own->object &&
             other->second->kind == WaitKind::mutex;
    });
  }
}

}  // namespace

model::ScheduleEnd schedule_end(const Schedule& schedule, const model::Snapshot& snapshot) {
  const Holders holders = holders_of(schedule);
  model::ScheduleEnd end;
  std::map<Goid, const Blocking*> blocked;
  for (const model::Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || goroutine.status != model::Status::waiting || !goroutine.blocked_on)
      continue;
    const Blocking& blocking = *goroutine.blocked_on;
    blocked[goroutine.id] = &blocking;
    end.goroutines.push_back({goroutine.id,
                              with_numbers(model::describe(blocking), schedule.objects),
                              user_place(goroutine),
                              holders_of_lock(blocking, goroutine.id, holders, schedule.objects)});
  }
  drop_waiters(end.goroutines, blocked);
  end.cycle = find_cycle(end.goroutines);
  return end;
}

model::CodePlace place_in(const std::vector<model::CodePlace>& stack) {
  for (const model::CodePlace& place : stack)
    if (!model::is_standard_package(model::package_of(place.function))) return place;
  return stack.empty() ? model::CodePlace{} : stack.front();
}

std::string race_message(const std::vector<model::RaceAccess>& race) {
  std::string message;
  for (const model::RaceAccess& access : race) {
    const std::string function = place_in(access.stack).function;
    message += fmt::format("{}{} in {}", message.empty() ? "" : ", ", access.what,
                           function.empty() ? "an unknown function" : function);
  }
  return message;
}

model::CodePlace place_of_fault(const Schedule& schedule,
                                const std::optional<model::ScheduleEnd>& end) {
  if (end && !end->race.empty()) {
    const model::CodePlace place = place_in(end->race.front().stack);
    if (!place.file.empty()) return place;
  }
  const bool waits = schedule.outcome == "deadlock" || schedule.outcome == "leak";
  if (end && waits) {
    const EndGoroutine* best = nullptr;
    for (const EndGoroutine& one : end->goroutines) {
      const bool in_cycle =
          std::find(end->cycle.begin(), end->cycle.end(), one.id) != end->cycle.end();
      if (!one.where.file.empty() && (best == nullptr || in_cycle)) best = &one;
      if (in_cycle && best != nullptr) break;
    }
    if (best != nullptr) return best->where;
  }
  for (auto step = schedule.steps.rbegin(); step != schedule.steps.rend(); ++step)
    if (!step->where.file.empty()) return step->where;
  return {};
}

}  // namespace weir::analysis
