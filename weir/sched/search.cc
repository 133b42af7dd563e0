#include "weir/sched/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <unordered_map>

#include "weir/sched/runner_pool.h"

namespace weir::sched {
namespace {

constexpr unsigned mixed_bound = 2;
constexpr unsigned widest_bound = 64;
constexpr unsigned least_depth = 2, depths = 3;  // PCT: 2, 3, 4
/// So many runs without a verdict (each may take the watchdog's time), and weir gives a test up.
constexpr std::size_t patience = 3;
constexpr std::size_t shrink_runs = 200;
/// Choice points of a test for which the mixed strategy tries to come to an end of all orders.
constexpr std::size_t small_test = 200;

/// One schedule to try.
struct Attempt {
  Chooser chooser;
  std::string strategy;
  bool delay = false;  ///< for DelayBounded to learn from
  bool dpor = false;   ///< for Dpor
};

class Search {
 public:
  Search(const TestBinary& binary, const SearchOptions& options, Watchdog& watchdog)
      : options_(options),
        pool_(binary, options_.run, watchdog),
        delay_(options.strategy == Strategy::mixed ? mixed_bound : widest_bound) {}

  Result<SearchResult> go();

 private:
  Result<bool> self_test();
  bool is_over() const;
  bool must_wait() const;
  void fill();
  std::optional<Attempt> plan();
  std::optional<Attempt> plan_bounded();
  std::optional<Attempt> plan_delay();
  std::optional<Attempt> plan_dpor();
  Attempt plan_pct();
  Attempt plan_random();
  Result<RunRecord> run(const Chooser& chooser) { return note(pool_.own().run(chooser)); }
  Result<RunRecord> note(Result<RunRecord> record);
  void note_places(const RunRecord& record);
  void count(const Attempt& attempt, const RunRecord& record);
  Result<void> confirm(const Attempt& attempt, const RunRecord& record);
  void finish();

  const SearchOptions& options_;
  RunnerPool pool_;
  std::deque<Attempt> running_;  ///< what the pool was asked for, in this order
  DelayBounded delay_;
  Dpor dpor_;
  SearchResult result_;
  std::set<std::uint64_t> hashes_, orders_;
  std::set<std::uint64_t> dpor_orders_;             ///< of the schedules that dpor_ asked for
  std::unordered_map<std::uint64_t, bool> places_;  ///< by pc: another goroutine was let in there
  std::size_t turn_ = 0;
  std::size_t drawn_ = 0;  ///< seeds of PCT and random walks
  std::size_t unknown_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Result<RunRecord> Search::note(Result<RunRecord> record) {
  if (!record) return record;
  for (const std::string& seen : record->observations)
    if (std::find(result_.observations.begin(), result_.observations.end(), seen) ==
        result_.observations.end())
      result_.observations.push_back(seen);
  result_.clamped = std::max(result_.clamped, record->clamped);
  return record;
}

// A test whose runs differ although all choices were equal cannot be replayed: weir says so instead
// of looking for faults in it.
Result<bool> Search::self_test() {
  std::optional<std::uint64_t> hash;
  for (unsigned i = 0; i < options_.self_test && !is_over(); ++i) {
    WEIR_TRY(const RunRecord record, run(random_chooser(options_.run.seed)));
    if (is_unknown(record.ending)) {
      result_.control = Control::uncontrolled;
      result_.why = fmt::format("{}: {}", to_string(record.ending), record.message);
      return false;
    }
    if (hash && *hash != record.hash) {
      result_.control = Control::uncontrolled;
      result_.why = fmt::format("equal choices gave different runs (run {} of {})", i + 1,
                                options_.self_test);
      return false;
    }
    hash = record.hash;
  }
  return true;
}

bool Search::is_over() const {
  if (options_.stop != nullptr && *options_.stop) return true;
  if (options_.schedules != 0 && result_.schedules + running_.size() >= options_.schedules)
    return true;
  const auto spent = std::chrono::steady_clock::now() - start_;
  return options_.time.value != 0 && spent >= std::chrono::nanoseconds(options_.time.value);
}

// What is tried next must not depend on how many runs are under way: the strategies learn from the
// first one, delay bounding at the end of each bound, and dpor from each.
bool Search::must_wait() const {
  if (running_.empty()) return false;
  const bool bounded = options_.strategy != Strategy::pct && options_.strategy != Strategy::random;
  return result_.schedules == 0 || (bounded && (!delay_.ready() || !dpor_.ready()));
}

// Keeps every runner busy while a result is looked at.
void Search::fill() {
  const bool alone = pool_.runners() == 1 || !result_.observations.empty();
  const std::size_t most = alone ? 1 : 2 * pool_.runners();
  while (running_.size() < most && !must_wait() && !is_over()) {
    auto attempt = plan();
    if (!attempt) return;
    pool_.ask(attempt->chooser);
    running_.push_back(std::move(*attempt));
  }
}

std::optional<Attempt> Search::plan_delay() {
  auto choices = delay_.next();
  if (!choices) return std::nullopt;
  unsigned bound = 0;
  for (const std::uint32_t choice : *choices) bound += choice;
  return Attempt{FixedChooser(std::move(*choices)), fmt::format("delay-bounded, bound {}", bound),
                 true};
}

std::optional<Attempt> Search::plan_dpor() {
  auto choices = dpor_.next();
  if (!choices) return std::nullopt;
  return Attempt{FixedChooser(std::move(*choices)), "dpor", false, true};
}

// The share of the mixed strategy that may come to an end.
std::optional<Attempt> Search::plan_bounded() {
  if (auto attempt = plan_delay()) return attempt;
  return result_.points <= small_test ? plan_dpor() : std::nullopt;
}

Attempt Search::plan_pct() {
  const std::uint64_t seed = options_.run.seed + ++drawn_;
  const unsigned depth = least_depth + static_cast<unsigned>(drawn_) % depths;
  return {pct_chooser(seed, depth, result_.points), fmt::format("PCT, depth {}", depth), false};
}

Attempt Search::plan_random() {
  const std::uint64_t seed = options_.run.seed + ++drawn_;
  return {random_chooser(seed), "random walk", false};
}

// No single strategy finds everything first. In turns: two that may come to an end, one PCT, one
// random. Where there is nothing for partial-order reduction to go by, dpor tries every schedule.
std::optional<Attempt> Search::plan() {
  switch (options_.strategy) {
    case Strategy::delay:
      return plan_delay();
    case Strategy::pct:
      return plan_pct();
    case Strategy::random:
      return plan_random();
    case Strategy::dpor:
      if (auto attempt = plan_dpor()) return attempt;
      return dpor_.complete() ? std::nullopt : plan_delay();
    case Strategy::mixed:
      break;
  }
  if (delay_.complete() || dpor_.complete()) return std::nullopt;
  const std::size_t turn = turn_++ % 4;
  if (turn < 2)
    if (auto attempt = plan_bounded()) return attempt;
  return turn % 2 == 0 ? plan_pct() : plan_random();
}

// One that has only been reached with nobody else to let in counts as reached.
void Search::note_places(const RunRecord& record) {
  for (const RunEvent& event : record.events) {
    if (event.kind != agent::PointKind::operation || !event.hook->asks) continue;
    bool& switched = places_[event.pc.value];
    switched = switched || event.choice != 0;
  }
}

void Search::count(const Attempt& attempt, const RunRecord& record) {
  if (result_.schedules == 0) result_.points = record.choice_points();
  ++result_.schedules;
  ++result_.by_strategy[attempt.strategy];
  note_places(record);
  hashes_.insert(record.hash);
  orders_.insert(record.order_hash);
  if (attempt.delay) delay_.learn(record);
  if (attempt.dpor) {
    dpor_.learn(record);
    dpor_orders_.insert(record.order_hash);
  }
  if (is_unknown(record.ending)) {
    ++unknown_;
    ++result_.unknown[fmt::format("{}: {}", to_string(record.ending), record.message)];
  }
  if (options_.progress) options_.progress(result_.schedules);
}

// For a reader who wants to know why a replay was not as the others.
std::string end_of(const RunRecord& record, Ending expected) {
  if (record.ending == expected) return "the same with other events";
  return record.message.empty() ? std::string(to_string(record.ending))
                                : fmt::format("{} ({})", to_string(record.ending), record.message);
}

Result<void> Search::confirm(const Attempt& attempt, const RunRecord& record) {
  Found found;
  found.seed = options_.run.seed;
  found.strategy = attempt.strategy;
  found.schedule = result_.schedules;
  found.choices = record.choices();
  found.deviations = count_deviations(found.choices);
  const Ending ending = record.ending;
  if (options_.shrink) {
    std::size_t used = 0;
    WEIR_TRY(found.choices, shrink(pool_.own(), found.choices, ending, shrink_runs, used));
  }
  std::optional<std::uint64_t> hash;
  for (unsigned i = 0; i < options_.confirmations; ++i) {
    WEIR_TRY(RunRecord again, run(FixedChooser(found.choices)));
    ++found.replayed;
    if (again.ending != ending || (hash && again.hash != *hash)) {
      result_.why = fmt::format(
          "a failure was seen that equal choices did not repeat: {} in schedule {}, then {} in "
          "replay {}",
          to_string(ending), found.schedule, end_of(again, ending), found.replayed);
      break;
    }
    hash = again.hash;
    ++found.confirmed;
    found.record = std::move(again);
  }
  if (found.confirmed == options_.confirmations)
    result_.found = std::move(found);
  else
    ++result_.unconfirmed;
  return {};
}

Result<SearchResult> Search::go() {
  WEIR_TRY(const bool equal, self_test());
  if (equal && result_.observations.empty()) pool_.widen(options_.jobs);
  while (equal && !result_.found && unknown_ < patience) {
    fill();
    if (running_.empty()) break;
    WEIR_TRY(const RunRecord record, note(pool_.next()));
    const Attempt attempt = std::move(running_.front());
    running_.pop_front();
    count(attempt, record);
    if (is_finding(record.ending)) WEIR_TRY_VOID(confirm(attempt, record));
  }
  finish();
  return std::move(result_);
}

void Search::finish() {
  result_.distinct = hashes_.size();
  result_.orders = orders_.size();
  result_.places = places_.size();
  result_.switched = static_cast<std::size_t>(
      std::count_if(places_.begin(), places_.end(), [](const auto& one) { return one.second; }));
  result_.exhausted = delay_.exhausted();
  result_.exhausted_schedules = delay_.exhausted_after();
  // Schedules of unknown end have not shown what comes after them.
  result_.complete = delay_.complete() && result_.unknown.empty();
  if (!result_.unknown.empty()) result_.exhausted.reset();
  if (dpor_.complete()) {
    result_.exhausted_orders = dpor_orders_.size();
    result_.exhausted_orders_schedules = dpor_.tried();
  }
  result_.unreduced = dpor_.failure();
  result_.stopped = options_.stop != nullptr && *options_.stop;
  if (result_.control == Control::controlled && !result_.observations.empty())
    result_.control = Control::observed;
  if (unknown_ >= patience || result_.unconfirmed != 0) result_.control = Control::uncontrolled;
  if (result_.why.empty() && !result_.unknown.empty()) result_.why = result_.unknown.begin()->first;
}

}  // namespace

std::string_view to_string(Strategy strategy) {
  constexpr std::array<std::string_view, 5> words{"mixed", "delay", "pct", "random", "dpor"};
  return words.at(static_cast<std::size_t>(strategy));
}

std::string_view to_string(Control control) {
  constexpr std::array<std::string_view, 3> words{"controlled", "observed", "not controlled"};
  return words.at(static_cast<std::size_t>(control));
}

Result<SearchResult> search(const TestBinary& binary, const SearchOptions& options,
                            Watchdog& watchdog) {
  Search search(binary, options, watchdog);
  return search.go();
}

}  // namespace weir::sched
