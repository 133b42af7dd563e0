#include "weir/analysis/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include "weir/analysis/filter.h"
#include "weir/analysis/lock_owner.h"
#include "weir/analysis/own_power.h"
#include "weir/analysis/runtime_check.h"
#include "weir/model/describe.h"

namespace weir::analysis {

using model::Certainty;
using model::ChannelCase;
using model::DeadlockKind;
using model::Direction;
using model::Goroutine;
using model::OutsideKind;
using model::Snapshot;
using model::WaitKind;
using model::WakeRole;
using model::WhyCycle;
using model::WhyObject;
using model::WhyReport;

namespace {

constexpr std::size_t most_listed = 10;
constexpr std::size_t most_cycles = 20;

bool is_lock(WaitKind kind) {
  return kind == WaitKind::mutex || kind == WaitKind::rwmutex_lock ||
         kind == WaitKind::rwmutex_rlock;
}

/// One side of an object: those who are on the same one cannot wake each other.
struct Side {
  Address object;
  std::optional<Direction> direction;  ///< of a channel
  /// Of an RWMutex: a writer waits for readers to leave, and new readers wait for that writer.
  bool reads = false;
  auto operator<=>(const Side&) const = default;
};

std::vector<Side> sides_of(const Goroutine& goroutine) {
  std::vector<Side> sides;
  if (!goroutine.blocked_on) return sides;
  if (goroutine.blocked_on->object)
    sides.push_back(
        {goroutine.blocked_on->object, {}, goroutine.blocked_on->kind == WaitKind::rwmutex_rlock});
  for (const ChannelCase& one : goroutine.blocked_on->cases)
    if (one.channel.address) sides.push_back({one.channel.address, one.direction, false});
  return sides;
}

bool is_channel(WaitKind kind) {
  return kind == WaitKind::channel_send || kind == WaitKind::channel_receive ||
         kind == WaitKind::select;
}

/// What people call a cycle of goroutines that wait like this.
std::string shape_of(const std::vector<const model::Blocking*>& waits) {
  const auto all = [&](auto which) { return std::all_of(waits.begin(), waits.end(), which); };
  const auto any = [&](auto which) { return std::any_of(waits.begin(), waits.end(), which); };
  const auto lock = [](const model::Blocking* wait) { return is_lock(wait->kind); };
  const auto channel = [](const model::Blocking* wait) { return is_channel(wait->kind); };
  const bool one_lock = all([&](const model::Blocking* wait) {
    return lock(wait) && wait->object == waits.front()->object;
  });
  if (waits.size() == 1 && lock(waits.front()))
    return "a lock is taken again by the goroutine that holds it";
  if (waits.size() == 2 && one_lock)
    return "a read lock is taken again while a writer waits, who waits for the first to be given "
           "back";
  if (waits.size() == 2 && all(lock)) return "two locks are taken in opposite order (AB-BA)";
  if (waits.size() > 2 && all(lock)) return "locks are taken in a ring";
  if (waits.size() > 1 && all(channel)) return "channel operations wait for each other in a ring";
  if (any(lock) && any(channel))
    return "a lock is held during a channel operation that needs the lock on its other side";
  return {};
}

bool never_wakes(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return false;
  const WaitKind kind = goroutine.blocked_on->kind;
  return kind == WaitKind::nil_channel_send || kind == WaitKind::nil_channel_receive ||
         kind == WaitKind::select_no_cases;
}

/// What a stack alone tells. Thousands of goroutines share one, so it is asked once.
class StackFacts {
 public:
  const model::CodePlace& place(const Goroutine& goroutine) { return facts(goroutine).place; }

  bool hears_signals(const Goroutine& goroutine) {
    return (facts(goroutine).may_hear_signals ||
            goroutine.start_function.starts_with("runtime.ensureSigM")) &&
           ignored(goroutine, {}, {}) == Ignored::signals;
  }

 private:
  struct Facts {
    model::CodePlace place;
    bool may_hear_signals = false;
  };

  const Facts& facts(const Goroutine& goroutine) {
    const auto [entry, is_new] = known_.try_emplace(goroutine.stack.get());
    if (is_new) {
      entry->second.place = user_place(goroutine);
      const model::Stack none;
      const model::Stack& stack = goroutine.stack ? *goroutine.stack : none;
      entry->second.may_hear_signals =
          std::any_of(stack.begin(), stack.end(), [](const model::Frame& frame) {
            return frame.function.starts_with("os/signal.") ||
                   frame.function.starts_with("runtime.ensureSigM");
          });
    }
    return entry->second;
  }

  std::unordered_map<const model::Stack*, Facts> known_;
};

class Graph {
 public:
  Graph(const Snapshot& snapshot, const model::Proof* proof) : proof_(proof) {
    nodes_.reserve(snapshot.goroutines.size());
    for (const Goroutine& goroutine : snapshot.goroutines) {
      if (goroutine.system) continue;
      if (stacks_.hears_signals(goroutine)) {
        hears_signals_ = goroutine.id;
      } else {
        nodes_.push_back({&goroutine, stacks_.place(goroutine),
                          proof != nullptr ? proof->find(goroutine.id) : nullptr});
      }
    }
    for (Node& node : nodes_) node.power = power(node);
    variables_known_ = snapshot.surroundings && snapshot.surroundings->variables_known;
    if (snapshot.surroundings)
      for (const model::Holder& holder : snapshot.surroundings->holders)
        outside_[holder.object].push_back(&holder);
    seat();
    find_wakers();
    std::vector<const Goroutine*> goroutines;
    for (const Node& node : nodes_) goroutines.push_back(node.goroutine);
    owners_.emplace(std::move(goroutines));
    for (std::size_t i = 0; i < nodes_.size(); ++i) connect(i);
    can_go_on_ = std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
      return node.power != Power::none || node.by_timer;
    });
  }

  WhyReport report(const Snapshot& snapshot) const;

 private:
  /// Those who wait on a side, and those who could wake them. Both ascending.
  struct Meeting {
    Side side;
    std::vector<std::size_t> waiters;
    std::vector<std::size_t> wakers;  ///< refer to the object and do not wait on the same side
  };
  struct Seat {
    Side side;
    std::size_t meeting = 0;
  };
  struct Node {
    const Goroutine* goroutine;
    const model::CodePlace& place;
    const model::ProofGoroutine* proved;  ///< what the proof says of it; may be null
    Power power = Power::none;
    std::size_t first = 0, last = 0;       ///< what it waits for: seats_[first, last)
    std::vector<std::size_t> wakers = {};  ///< ascending
    std::vector<std::size_t> owners = {};  ///< of the lock it waits for, by their code; ascending
    std::map<std::size_t, Side> via = {};  ///< waker → through what
    bool by_timer = false;                 ///< a pending timer leads to what it waits for
    /// What leads there beside the wakers, unless it waits for a lock, which only its holder gives
    /// back: whoever can go on may use it. Empty if there is nothing.
    std::string_view open = {};
  };
  /// For each node: it can't go on.
  using Stuck = std::vector<bool>;

  std::span<const Seat> seats_of(const Node& node) const {
    return std::span(seats_).subspan(node.first, node.last - node.first);
  }

  Power power(const Node& node) const {
    const Power own = power_of(*node.goroutine, hears_signals_.value != 0);
    const bool woken = node.proved != nullptr &&
                       node.proved->verdict == model::ProofVerdict::held &&
                       node.proved->path.empty();
    return own == Power::none && woken ? Power::woken : own;
  }

  /// Who waits on which side.
  void seat() {
    std::vector<std::tuple<Side, std::size_t, std::size_t>> waiters;  // side, node, seat
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].first = seats_.size();
      for (const Side& side : sides_of(*nodes_[i].goroutine)) {
        waiters.emplace_back(side, i, seats_.size());
        seats_.push_back({side});
      }
      nodes_[i].last = seats_.size();
    }
    std::sort(waiters.begin(), waiters.end());
    for (const auto& [side, waiter, seat] : waiters) {
      if (meetings_.empty() || meetings_.back().side != side) meetings_.push_back({side, {}, {}});
      meetings_.back().waiters.push_back(waiter);
      seats_[seat].meeting = meetings_.size() - 1;
    }
  }

  /// For each side that somebody waits on, once: thousands may wait there.
  void find_wakers() {
    std::vector<std::pair<Address, std::size_t>> referrers;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (const Address object : nodes_[i].goroutine->refers_to) referrers.emplace_back(object, i);
    std::sort(referrers.begin(), referrers.end());
    for (Meeting& meeting : meetings_) {
      const auto& same = meeting.waiters;
      const Address object = meeting.side.object;
      auto one =
          std::lower_bound(referrers.begin(), referrers.end(), std::pair(object, std::size_t{0}));
      for (; one != referrers.end() && one->first == object; ++one)
        if (!std::binary_search(same.begin(), same.end(), one->second))
          meeting.wakers.push_back(one->second);
    }
  }

  /// Whose code says that it holds a lock is the one who gives it back; others that only refer to
  /// it do not count then.
  void connect(std::size_t i) {
    Node& node = nodes_[i];
    node.owners = owners_->of(i);
    for (const Seat& seat : seats_of(node)) {
      const auto& wakers = node.owners.empty() ? meetings_[seat.meeting].wakers : node.owners;
      for (const std::size_t waker : wakers)
        if (node.via.try_emplace(waker, seat.side).second) node.wakers.push_back(waker);
      if (leads_there(seat.side.object, model::HolderKind::timer) != nullptr) node.by_timer = true;
    }
    std::sort(node.wakers.begin(), node.wakers.end());
    if (node.goroutine->blocked_on && !is_lock(node.goroutine->blocked_on->kind))
      node.open = opening(node);
  }

  /// The proof knows all that leads there, and names one. A goroutine that waits itself does not
  /// count: it is a waker, or has to be woken first. Nor does it that a WaitGroup is a variable:
  /// only those that it counts free who waits for it.
  std::string_view opening(const Node& node) const {
    if (const auto* proved = node.proved) {
      if (proved->verdict == model::ProofVerdict::proved) return {};
      const auto* by = proved->held_by ? proof_->find(*proved->held_by) : nullptr;
      const bool waits = by != nullptr && by->verdict != model::ProofVerdict::not_applicable;
      if (!proved->path.empty() && !waits && !proved->is_variable) return proved->path.front();
    }
    for (const Seat& seat : seats_of(node))
      if (const auto* holder = leads_there(seat.side.object, model::HolderKind::variable))
        return holder->text;
    return {};
  }

  const model::Holder* leads_there(Address object, model::HolderKind kind) const {
    const auto found = outside_.find(object);
    if (found == outside_.end()) return nullptr;
    for (const model::Holder* holder : found->second)
      if (holder->kind == kind) return holder;
    return nullptr;
  }

  Stuck stuck(bool though_open) const;
  std::vector<std::size_t> find_cycle(std::size_t start, const Stuck& stuck) const;
  void add_cycles(const Stuck& stuck, std::set<std::size_t>& covered,
                  std::vector<WhyCycle>& to) const;
  WhyCycle describe(const std::vector<std::size_t>& path) const;
  bool is_proved(const std::vector<std::size_t>& path) const;
  WakeRole role(const Node& waiter, std::size_t waker) const;
  std::string because(const Node& waiter, std::size_t waker) const;
  std::string_view opening(const std::vector<std::size_t>& path) const;
  std::optional<WhyObject> outer_object(const Goroutine& goroutine) const;
  WhyObject object(const Meeting& meeting) const;
  void add_objects(WhyReport& report) const;
  void add_powers(WhyReport& report) const;

  const model::Proof* proof_;
  Goid hears_signals_;  ///< os/signal's receiver, if there is one
  bool variables_known_ = false;
  bool can_go_on_ = false;  ///< some goroutine can, by itself or by a timer
  StackFacts stacks_;
  std::vector<Node> nodes_;
  std::optional<LockOwners> owners_;
  std::map<Address, std::vector<const model::Holder*>> outside_;
  std::vector<Seat> seats_;
  std::vector<Meeting> meetings_;  // by side, ascending
};

/// Those that can't go on even if all who can go on wake whomever their stacks refer to, and what
/// is open to all (unless `though_open`): what is left when these and, again and again, all that
/// they may wake are taken away. A goroutine that nobody on a stack refers to may still be woken
/// through the heap or a global, so it is left out.
Graph::Stuck Graph::stuck(bool though_open) const {
  Stuck is_stuck(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const bool freed = can_go_on_ && !though_open && !node.open.empty();
    is_stuck[i] = node.power == Power::none && !node.by_timer && node.first != node.last && !freed;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!is_stuck[i]) continue;
      const auto& wakers = nodes_[i].wakers;
      const bool free = std::any_of(wakers.begin(), wakers.end(),
                                    [&](std::size_t waker) { return !is_stuck[waker]; });
      if (!free) continue;
      is_stuck[i] = false;
      changed = true;
    }
  }
  return is_stuck;
}

/// A shortest way from `start` along wakers back to it, without the return; empty if there is none.
std::vector<std::size_t> Graph::find_cycle(std::size_t start, const Stuck& stuck) const {
  std::map<std::size_t, std::size_t> from;
  std::vector<std::size_t> queue{start};
  for (std::size_t next = 0; next < queue.size(); ++next) {
    for (const std::size_t waker : nodes_[queue[next]].wakers) {
      if (!stuck[waker]) continue;
      if (waker == start) {
        std::vector<std::size_t> path{queue[next]};
        while (path.back() != start) path.push_back(from.at(path.back()));
        std::reverse(path.begin(), path.end());
        return path;
      }
      if (from.try_emplace(waker, queue[next]).second) queue.push_back(waker);
    }
  }
  return {};
}

/// Those of which no goroutine is covered by an earlier one.
void Graph::add_cycles(const Stuck& stuck, std::set<std::size_t>& covered,
                       std::vector<WhyCycle>& to) const {
  std::set<std::vector<std::size_t>> seen;
  std::vector<std::vector<std::size_t>> paths;
  for (std::size_t i = 0; i < nodes_.size() && to.size() + paths.size() < most_cycles; ++i) {
    if (!stuck[i] || covered.contains(i)) continue;
    const auto path = find_cycle(i, stuck);
    if (path.empty()) continue;
    auto members = path;
    std::sort(members.begin(), members.end());
    covered.insert(members.begin(), members.end());
    if (seen.insert(std::move(members)).second) paths.push_back(path);
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (const auto& path : paths) to.push_back(describe(path));
}

WakeRole Graph::role(const Node& waiter, std::size_t waker) const {
  const bool lock = is_lock(waiter.goroutine->blocked_on->kind);
  if (!lock || !waiter.via.contains(waker)) return WakeRole::refers;
  return waiter.wakers.size() == 1 || !waiter.owners.empty() ? WakeRole::owner : WakeRole::refers;
}

std::string Graph::because(const Node& waiter, std::size_t waker) const {
  if (!std::binary_search(waiter.owners.begin(), waiter.owners.end(), waker)) return {};
  return owners_->because(waker, waiter.goroutine->blocked_on->object);
}

std::string_view Graph::opening(const std::vector<std::size_t>& path) const {
  for (const std::size_t i : path)
    if (!nodes_[i].open.empty()) return nodes_[i].open;
  return {};
}

bool Graph::is_proved(const std::vector<std::size_t>& path) const {
  return std::all_of(path.begin(), path.end(), [&](std::size_t i) {
    const auto* proved = nodes_[i].proved;
    return proved != nullptr && proved->verdict == model::ProofVerdict::proved;
  });
}

WhyCycle Graph::describe(const std::vector<std::size_t>& path) const {
  WhyCycle cycle;
  bool only_one = true;
  std::vector<const model::Blocking*> waits;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Node& node = nodes_[path[i]];
    const std::size_t next = path[(i + 1) % path.size()];
    only_one = only_one && node.wakers.size() == 1;
    waits.push_back(&*node.goroutine->blocked_on);
    cycle.steps.push_back({node.goroutine->id, model::describe(*node.goroutine->blocked_on),
                           role(node, next), because(node, next)});
  }
  cycle.shape = shape_of(waits);
  if (is_proved(path)) {
    cycle.certainty = Certainty::proved;
    cycle.because = "nothing that can go on leads to what any of them waits for";
    return cycle;
  }
  const std::string_view open = opening(path);
  cycle.open = can_go_on_ && !open.empty();
  cycle.certainty = only_one && open.empty() ? Certainty::likely : Certainty::possible;
  cycle.because =
      only_one
          ? "in each step one goroutine only holds what the one before waits for, or leads to it"
          : "in some step the stacks of several goroutines lead to it, and all are blocked";
  if (!open.empty()) {
    cycle.because += fmt::format("; but {} leads there, too, and any goroutine may use that", open);
  } else {
    cycle.because += variables_known_ ? "; no variable leads to a channel of it"
                                      : "; variables were not looked at";
  }
  return cycle;
}

WhyObject Graph::object(const Meeting& meeting) const {
  WhyObject made;
  const Node& first = nodes_[meeting.waiters.front()];
  made.text = model::describe(*first.goroutine->blocked_on);
  for (const std::size_t i : meeting.waiters) made.waiters.push_back(nodes_[i].goroutine->id);
  made.lock = is_lock(first.goroutine->blocked_on->kind);
  std::vector<std::size_t> all;
  std::set_union(meeting.wakers.begin(), meeting.wakers.end(), first.owners.begin(),
                 first.owners.end(), std::back_inserter(all));
  for (const std::size_t i : all) {
    const bool owner = std::binary_search(first.owners.begin(), first.owners.end(), i) ||
                       (made.lock && first.owners.empty() && all.size() == 1);
    made.wakers.push_back(
        {nodes_[i].goroutine->id, owner ? WakeRole::owner : WakeRole::refers, because(first, i)});
  }
  const auto found = outside_.find(meeting.side.object);
  if (found == outside_.end()) return made;
  for (const model::Holder* holder : found->second)
    made.outside.push_back(
        {holder->kind == model::HolderKind::timer ? OutsideKind::timer : OutsideKind::variable,
         holder->text, holder->fires_in});
  return made;
}

/// A file descriptor or a sleep: not something that a goroutine has in hand to wake another by.
std::optional<WhyObject> Graph::outer_object(const Goroutine& goroutine) const {
  if (!goroutine.blocked_on) return {};
  const model::Blocking& wait = *goroutine.blocked_on;
  WhyObject made;
  made.waiters = {goroutine.id};
  if (wait.kind == WaitKind::io) {
    made.text = model::describe(wait);
    made.outside.push_back({OutsideKind::poller, "network poller", {}});
    return made;
  }
  if (wait.kind != WaitKind::sleep) return {};
  made.text = "sleep";
  made.outside.push_back({OutsideKind::timer, "timer of a sleep", wait.wakes_in});
  return made;
}

void Graph::add_objects(WhyReport& report) const {
  report.objects.reserve(meetings_.size());
  for (const Meeting& meeting : meetings_) report.objects.push_back(object(meeting));
  for (const Node& node : nodes_) {
    if (!never_wakes(*node.goroutine)) continue;
    WhyObject nothing;
    nothing.text = model::describe(*node.goroutine->blocked_on);
    nothing.waiters = {node.goroutine->id};
    nothing.never = true;
    report.objects.push_back(std::move(nothing));
  }
  const auto more_wait = [](const WhyObject& a, const WhyObject& b) {
    return a.waiters.size() > b.waiters.size();
  };
  if (!std::is_sorted(report.objects.begin(), report.objects.end(), more_wait))
    std::stable_sort(report.objects.begin(), report.objects.end(), more_wait);
  for (const Node& node : nodes_)
    if (auto outer = outer_object(*node.goroutine)) report.objects.push_back(std::move(*outer));
}

void Graph::add_powers(WhyReport& report) const {
  for (const Node& node : nodes_) {
    if (node.power == Power::none) continue;
    if (report.can_go_on.size() == most_listed) {
      ++report.more_can_go_on;
      continue;
    }
    report.can_go_on.push_back(fmt::format("goroutine {} {} ({})", node.goroutine->id.value,
                                           words_of(node.power, *node.goroutine),
                                           node.place.function));
  }
}

WhyReport Graph::report(const Snapshot& snapshot) const {
  WhyReport report;
  report.source = snapshot.source;
  report.notes = snapshot.notes;
  report.goroutines.reserve(nodes_.size());
  for (const Node& node : nodes_) {
    const Goroutine& goroutine = *node.goroutine;
    report.goroutines.push_back(
        {goroutine.id,
         model::state_of(goroutine),
         node.place,
         {goroutine.created.function, goroutine.created.file, goroutine.created.line}});
  }
  report.looked_again = snapshot.looked_again;
  std::set<std::size_t> covered;
  add_cycles(stuck(false), covered, report.cycles);
  const bool closed = !report.cycles.empty();
  add_cycles(stuck(true), covered, report.cycles);
  add_objects(report);
  add_powers(report);
  if (!can_go_on_ && !nodes_.empty()) {
    report.deadlock = DeadlockKind::global;
  } else if (closed) {
    report.deadlock = DeadlockKind::partial;
  }
  std::vector<Power> powers;
  for (const Node& node : nodes_)
    if (node.power != Power::none) powers.push_back(node.power);
  report.runtime_check = explain_runtime_check(snapshot, report, powers, hears_signals_);
  report.variables_known = variables_known_;
  return report;
}

}  // namespace

WhyReport why(const Snapshot& snapshot, const model::Proof* proof) {
  return Graph(snapshot, proof).report(snapshot);
}

}  // namespace weir::analysis
