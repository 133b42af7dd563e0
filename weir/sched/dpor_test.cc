// Partial-order reduction on made-up programs: a simulated scheduler runs them as the agent would
// have it, so that all schedules can be tried in no time.
#include "weir/sched/dpor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "weir/sched/agent/decider.h"
#include "weir/sched/delay_bounded.h"
#include "weir/sched/order_hash.h"

namespace weir::sched {
namespace {

using agent::PointKind;
using testing::HasSubstr;

enum class Verb : std::uint8_t { lock, unlock, send, receive, close, select, add, load, start };
constexpr std::uint32_t drawn_verbs = 8;  // all but start

struct Action {
  Verb verb;
  std::uint32_t object;  ///< a lock, a channel, a word; of start a goroutine
};
/// What each goroutine does, by goid from 1. Goroutine 1 is the test; the others are started.
using Program = std::vector<std::vector<Action>>;

const Hook& hook_of(Verb verb) {
  static const std::map<Verb, Hook> hooks = [] {
    std::map<Verb, Hook> all;
    for (const auto& [one, name] :
         std::map<Verb, const char*>{{Verb::lock, "sync.(*Mutex).Lock"},
                                     {Verb::unlock, "sync.(*Mutex).Unlock"},
                                     {Verb::send, "chan send"},
                                     {Verb::receive, "chan receive"},
                                     {Verb::close, "close"},
                                     {Verb::select, "select"},
                                     {Verb::add, "atomic operation"}})
      all[one].name = name;
    return all;
  }();
  return hooks.at(verb);
}

/// One run: decides as Decider does with fixed choices, and notes what the agent would.
class Simulation {
 public:
  Simulation(const Program& program, std::vector<std::uint32_t> choices)
      : program_(program), chooser_(std::move(choices)), goroutines_(program.size()) {
    goroutines_[0].state = State::ready;
    for (std::uint64_t object = 1; object <= 64; ++object)
      record_.objects.push_back({0x1000 + object * 0x100});
  }

  RunRecord run() {
    record_.log_whole = true;
    while (!over_) {
      const auto enabled = list_enabled(0);
      if (enabled.empty()) break;
      log(enabled, enabled.size() > 1);
      std::uint32_t choice = 0;
      if (enabled.size() > 1) {
        RunEvent event;
        event.goroutine = Goid{enabled[0]};
        choice = ask(event, enabled);
      }
      go_on(enabled[choice]);
    }
    if (!over_) record_.ending = Ending::deadlock;
    record_.order_hash = order_hash(record_);
    return std::move(record_);
  }
  /// What each goroutine has seen.
  std::string seen() const {
    std::string all;
    for (const auto& [goid, values] : seen_) all += fmt::format(" {} saw{};", goid, values);
    return all;
  }

 private:
  enum class State : std::uint8_t { absent, ready, blocked, ended };
  struct Goroutine {
    State state = State::absent;
    std::size_t at = 0;
    bool asked = false;  ///< about what it does next
  };
  struct Channel {
    std::vector<std::uint64_t> held;
    bool closed = false;
  };
  static constexpr std::size_t room = 1;

  std::vector<std::uint64_t> list_enabled(std::uint64_t first) const {
    std::vector<std::uint64_t> all;
    if (first != 0) all.push_back(first);
    for (std::uint64_t goid = 1; goid <= goroutines_.size(); ++goid)
      if (goid != first && goroutines_[goid - 1].state == State::ready) all.push_back(goid);
    return all;
  }

  void log(const std::vector<std::uint64_t>& enabled, bool asked) {
    record_.moments.push_back({static_cast<std::uint32_t>(record_.events.size()), asked, false,
                               static_cast<std::uint32_t>(record_.log.size()),
                               static_cast<std::uint32_t>(enabled.size())});
    record_.log.insert(record_.log.end(), enabled.begin(), enabled.end());
  }

  std::uint32_t choose(std::size_t alternatives) {
    if (alternatives < 2) return 0;
    const std::uint32_t choice = next_ < chooser_.size() ? chooser_[next_] : 0;
    ++next_;
    return choice < alternatives ? choice : 0;
  }

  std::uint32_t ask(RunEvent event, const std::vector<std::uint64_t>& enabled) {
    event.alternatives = static_cast<std::uint32_t>(enabled.size());
    event.choice = choose(enabled.size());
    event.runs = Goid{enabled[event.choice]};
    record_.events.push_back(event);
    return event.choice;
  }

  // Until it blocks, ends, or another one is let in; that one then goes on.
  void go_on(std::uint64_t goid) {
    while (goid != 0 && !over_) goid = advance(goid);
  }

  /// Who goes on without being asked about: itself, or who was let in; 0 if nobody.
  std::uint64_t advance(std::uint64_t goid) {
    Goroutine& self = goroutines_[goid - 1];
    const auto& actions = program_[goid - 1];
    if (self.at == actions.size()) {
      self.state = State::ended;
      if (goid == 1) over_ = true, record_.ending = Ending::passed;
      return 0;
    }
    const Action action = actions[self.at];
    if (!self.asked && action.verb != Verb::load && action.verb != Verb::start) {
      self.asked = true;
      if (const std::uint64_t other = arrive(goid, action); other != goid) return other;
    }
    if (!perform(goid, action)) {
      self.state = State::blocked;
      return 0;
    }
    self.asked = false;
    ++self.at;
    return goid;
  }

  std::uint64_t arrive(std::uint64_t goid, Action action) {
    RunEvent event;
    event.goroutine = event.runs = Goid{goid};
    event.kind = PointKind::operation;
    event.hook = &hook_of(action.verb);
    event.object = action.verb == Verb::select ? 0 : action.object;
    event.pc = Address{goid * 0x1000 + goroutines_[goid - 1].at};
    std::vector<std::uint64_t> enabled{goid};
    if (action.verb != Verb::unlock) {  // only noted
      enabled = list_enabled(goid);
      log(enabled, true);
    }
    if (action.verb == Verb::select) log_cases(action);
    return enabled[ask(event, enabled)];
  }

  void log_cases(Action action) {
    record_.selects.push_back({static_cast<std::uint32_t>(record_.events.size()),
                               static_cast<std::uint32_t>(record_.log.size()), 2});
    for (const std::uint32_t channel : {action.object, action.object + 1})
      record_.log.push_back(record_.objects[channel - 1].value);
  }

  void wake(std::uint32_t object) {
    for (const std::uint64_t goid : waiting_[object])
      if (goroutines_[goid - 1].state == State::blocked) goroutines_[goid - 1].state = State::ready;
    waiting_[object].clear();
  }
  bool wait(std::uint64_t goid, std::uint32_t object) {
    waiting_[object].push_back(goid);
    return false;
  }
  void see(std::uint64_t goid, std::uint64_t value) { seen_[goid] += fmt::format(" {}", value); }
  void panic() { over_ = true, record_.ending = Ending::panic; }

  /// False: it waits, and tries again once it is woken.
  bool perform(std::uint64_t goid, Action action) {
    Channel& channel = channels_[action.object];
    switch (action.verb) {
      case Verb::lock:
        if (locked_.contains(action.object)) return wait(goid, action.object);
        locked_.insert(action.object);
        break;
      case Verb::unlock:
        locked_.erase(action.object);
        wake(action.object);
        break;
      case Verb::send:
        if (channel.closed) return panic(), true;
        if (channel.held.size() == room) return wait(goid, action.object);
        channel.held.push_back(goid);
        wake(action.object);
        break;
      case Verb::receive:
        return receive(goid, action.object) || wait(goid, action.object);
      case Verb::close:
        if (channel.closed) return panic(), true;
        channel.closed = true;
        wake(action.object);
        break;
      case Verb::select:
        return select(goid, action.object);
      case Verb::add:
        words_[action.object] += goid;
        break;
      case Verb::load:
        see(goid, words_[action.object]);
        break;
      case Verb::start:
        if (action.object <= goroutines_.size() &&
            goroutines_[action.object - 1].state == State::absent)
          goroutines_[action.object - 1].state = State::ready;
        break;
    }
    return true;
  }

  bool receive(std::uint64_t goid, std::uint32_t object) {
    Channel& channel = channels_[object];
    if (channel.held.empty() && !channel.closed) return false;
    see(goid, channel.held.empty() ? 0 : channel.held.front());
    if (!channel.held.empty()) channel.held.erase(channel.held.begin());
    wake(object);
    return true;
  }

  bool select(std::uint64_t goid, std::uint32_t object) {
    std::vector<std::uint32_t> ready;
    for (const std::uint32_t one : {object, object + 1})
      if (!channels_[one].held.empty() || channels_[one].closed) ready.push_back(one);
    if (ready.empty()) {
      wait(goid, object);
      return wait(goid, object + 1);
    }
    std::uint32_t taken = 0;
    if (ready.size() > 1) {
      RunEvent event;
      event.goroutine = event.runs = Goid{goid};
      event.kind = PointKind::select;
      event.hook = &hook_of(Verb::select);
      event.alternatives = 2;
      event.choice = taken = choose(2);
      event.object = ready[taken];
      record_.events.push_back(event);
    }
    return receive(goid, ready[taken]);
  }

  const Program& program_;
  std::vector<std::uint32_t> chooser_;
  std::size_t next_ = 0;
  RunRecord record_;
  std::vector<Goroutine> goroutines_;
  std::map<std::uint32_t, Channel> channels_;
  std::set<std::uint32_t> locked_;
  std::map<std::uint32_t, std::uint64_t> words_;
  std::map<std::uint32_t, std::vector<std::uint64_t>> waiting_;
  std::map<std::uint64_t, std::string> seen_;
  bool over_ = false;
};

/// What all schedules of a search together have shown.
struct Seen {
  std::vector<std::vector<std::uint32_t>> schedules;
  std::set<std::string> outcomes;
  std::set<std::uint64_t> orders;
};

constexpr unsigned any_bound = 100'000;
constexpr std::size_t most_schedules = 100'000;

/// `ahead`: so many schedules are asked for before the first is learned from.
template <class Search>
Seen try_all(Search& search, const Program& program, std::size_t ahead = 1) {
  Seen seen;
  std::deque<std::vector<std::uint32_t>> running;
  while (seen.schedules.size() < most_schedules) {
    while (running.size() < ahead && search.ready()) {
      auto choices = search.next();
      if (!choices) break;
      running.push_back(std::move(*choices));
    }
    if (running.empty()) break;
    seen.schedules.push_back(std::move(running.front()));
    running.pop_front();
    Simulation simulation(program, seen.schedules.back());
    const RunRecord record = simulation.run();
    seen.outcomes.insert(fmt::format("{}: {}", to_string(record.ending), simulation.seen()));
    seen.orders.insert(record.order_hash);
    search.learn(record);
  }
  return seen;
}

/// Goroutine 1 starts the others first; then each does what is drawn.
Program draw(std::uint64_t seed) {
  agent::Random random(seed);
  Program program(2 + random.below(2));
  for (std::uint32_t goid = 2; goid <= program.size(); ++goid)
    program[0].push_back({Verb::start, goid});
  for (auto& actions : program) {
    const std::uint32_t count = 1 + random.below(3);
    for (std::uint32_t n = 0; n < count; ++n) {
      const auto verb = static_cast<Verb>(random.below(drawn_verbs));
      // Locks 1, 2; channels 11, 12; words 21, 22.
      const std::uint32_t kind = verb == Verb::lock || verb == Verb::unlock ? 1
                                 : verb == Verb::add || verb == Verb::load  ? 21
                                                                            : 11;
      const std::uint32_t which = verb == Verb::select ? 0 : random.below(2);
      if (verb == Verb::unlock) continue;
      actions.push_back({verb, kind + which});
      if (verb == Verb::lock && random.below(4) != 0)
        actions.push_back({Verb::unlock, kind + which});
    }
  }
  return program;
}

std::string show(const Program& program) {
  constexpr std::array words{"lock",   "unlock", "send", "receive", "close",
                             "select", "add",    "load", "start"};
  std::string text;
  for (std::size_t i = 0; i < program.size(); ++i) {
    text += fmt::format("\n  goroutine {}:", i + 1);
    for (const Action& action : program[i])
      text +=
          fmt::format(" {} {};", words.at(static_cast<std::size_t>(action.verb)), action.object);
  }
  return text;
}

TEST(Dpor, SeesWhatAllSchedulesOfMadeUpProgramsShow) {
  constexpr std::uint64_t programs = 400;
  std::size_t all_schedules = 0, schedules = 0;
  for (std::uint64_t seed = 1; seed <= programs; ++seed) {
    const Program program = draw(seed);
    DelayBounded every(any_bound);
    const Seen all = try_all(every, program);
    ASSERT_TRUE(every.complete()) << seed << show(program);
    Dpor dpor;
    const Seen reduced = try_all(dpor, program);
    ASSERT_TRUE(dpor.complete()) << dpor.failure() << seed << show(program);
    EXPECT_EQ(dpor.tried(), reduced.schedules.size());
    ASSERT_EQ(reduced.orders, all.orders) << seed << show(program);
    ASSERT_EQ(reduced.outcomes, all.outcomes) << seed << show(program);
    all_schedules += all.schedules.size();
    schedules += reduced.schedules.size();
  }
  EXPECT_LT(schedules * 4, all_schedules);
}

TEST(Dpor, TriesOneOrderOfWhatHasNothingInCommon) {
  // The others each use a lock of their own, and nobody waits for them.
  const Program program{{{Verb::start, 2}, {Verb::start, 3}, {Verb::receive, 11}},
                        {{Verb::lock, 1}, {Verb::unlock, 1}, {Verb::lock, 1}},
                        {{Verb::lock, 2}, {Verb::unlock, 2}, {Verb::lock, 2}}};
  Dpor dpor;
  EXPECT_EQ(try_all(dpor, program).schedules.size(), 1U);
  EXPECT_TRUE(dpor.complete());
  DelayBounded every(any_bound);
  EXPECT_GT(try_all(every, program).schedules.size(), 20U);
}

TEST(Dpor, DoesNotDependOnHowManyRunAtATime) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Program program = draw(seed);
    Dpor alone, crowd;
    const Seen expected = try_all(alone, program), seen = try_all(crowd, program, 5);
    ASSERT_EQ(seen.schedules, expected.schedules) << show(program);
    EXPECT_TRUE(crowd.complete());
  }
}

TEST(Dpor, ClaimsNothingOfWhatHasNoOrder) {
  const Program program{{{Verb::start, 2}, {Verb::lock, 1}}, {{Verb::lock, 1}}};
  const auto reason_for = [&](const std::function<void(RunRecord&)>& change) {
    Dpor dpor;
    RunRecord record = Simulation(program, *dpor.next()).run();
    change(record);
    dpor.learn(record);
    EXPECT_FALSE(dpor.next());
    EXPECT_FALSE(dpor.complete());
    return dpor.failure();
  };
  EXPECT_THAT(reason_for([](RunRecord& r) { r.unordered = true; }), HasSubstr("timers"));
  EXPECT_THAT(reason_for([](RunRecord& r) { r.observations = {"signals"}; }),
              HasSubstr("uses signals"));
  EXPECT_THAT(reason_for([](RunRecord& r) { r.ending = Ending::stalled; }),
              HasSubstr("no verdict"));
  EXPECT_THAT(reason_for([](RunRecord& r) { r.refused = 1; }), HasSubstr("refused"));
  EXPECT_THAT(reason_for([](RunRecord& r) { r.log_whole = false; }), HasSubstr("who ran"));
  EXPECT_THAT(reason_for([](RunRecord& r) { r.events.back().goroutine = Goid{9}; }),
              HasSubstr("who ran"));
}

TEST(Moments, OfWordsThatCannotBeAreNone) {
  const auto is_whole = [](std::vector<std::uint64_t> words) {
    RunRecord record;
    record.events.resize(1);
    read_log(words, record);
    return record.log_whole;
  };
  EXPECT_TRUE(is_whole({}));
  EXPECT_TRUE(is_whole({2, 0, 6, 7}));   // two goroutines, at the first event
  EXPECT_FALSE(is_whole({2}));           // half a head
  EXPECT_FALSE(is_whole({3, 0, 6, 7}));  // more than there are
  EXPECT_FALSE(is_whole({2, 9, 6, 7}));  // behind the last event
  EXPECT_FALSE(is_whole({0xffffffff, 0, 6, 7}));
}

}  // namespace
}  // namespace weir::sched
