#pragma once
// Search: tries schedules of one test until one of them is a finding that replays, or until there
// is no more of what was asked for.
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "weir/sched/delay_bounded.h"
#include "weir/sched/dpor.h"
#include "weir/sched/test_runner.h"

namespace weir::sched {

enum class Strategy : std::uint8_t {
  mixed,   ///< delay-bounded up to 2 (then, of a small test, dpor), PCT and random walks in turns
  delay,   ///< delay-bounded alone, bound by bound
  pct,     ///< PCT alone, depths 2 to 4 in turns
  random,  ///< random walks alone
  dpor,    ///< every order of operations once; every schedule where there is no such order
};
std::string_view to_string(Strategy strategy);

struct SearchOptions {
  RunOptions run;  ///< its seed is also where those of the strategies begin; at_end is not used
  Strategy strategy = Strategy::mixed;
  std::size_t schedules = 1'000;  ///< at most; 0: no bound
  Nanos time{60'000'000'000};     ///< at most; 0: no bound
  unsigned confirmations = 10;    ///< replays of a finding
  unsigned self_test = 20;        ///< runs of one seed that must be equal
  bool shrink = true;
  /// So many schedules at a time, for a test that uses nothing outside its process (others might
  /// get into each other's way). What is tried and found does not depend on it.
  unsigned jobs = 1;
  const std::atomic<bool>* stop = nullptr;         ///< Ctrl-C; may be null
  std::function<void(std::size_t done)> progress;  ///< may be null
};

/// How well weir controls a test.
enum class Control : std::uint8_t {
  controlled,  ///< only what weir decides decides
  observed,    ///< files, the network, other processes …: equal so far, but the outside has a say
  uncontrolled,  ///< equal choices do not give equal runs, or runs come to no end
};
std::string_view to_string(Control control);

struct Found {
  RunRecord record;
  std::vector<std::uint32_t> choices;  ///< after shrinking
  std::uint64_t seed = 0;
  std::string strategy;        ///< "delay-bounded, bound 1", "PCT, depth 3", "random walk"
  std::size_t schedule = 0;    ///< in which one, from 1
  std::size_t deviations = 0;  ///< choices other than Go's own, before shrinking
  unsigned confirmed = 0;      ///< replays with the same result …
  unsigned replayed = 0;       ///< … of so many
};

struct SearchResult {
  Control control = Control::controlled;
  std::string why;  ///< not controlled: the reason
  std::optional<Found> found;
  std::size_t schedules = 0;
  std::map<std::string, std::size_t> by_strategy;
  std::size_t distinct = 0;  ///< different runs among them
  std::size_t orders = 0;    ///< RunRecord::order_hash: different orders of operations
  std::size_t places = 0;    ///< in the code, before which another goroutine may be let in: reached
  std::size_t switched = 0;  ///< of those, where one was
  std::size_t points = 0;    ///< choice points of the first schedule
  std::optional<unsigned> exhausted;  ///< the delay bound
  std::size_t exhausted_schedules = 0;
  bool complete = false;                        ///< every schedule was tried
  std::optional<std::size_t> exhausted_orders;  ///< so many are all orders of operations there are
  std::size_t exhausted_orders_schedules = 0;   ///< tried to see them
  std::string unreduced;  ///< why not every order of operations can be tried without trying every
                          ///< schedule; empty where it can, or was not asked for
  bool stopped = false;   ///< by SearchOptions::stop
  std::map<std::string, std::size_t> unknown;  ///< runs of which nothing can be said, by reason
  std::size_t unconfirmed = 0;  ///< findings that did not replay, and are none therefore
  std::vector<std::string> observations;
  std::uint32_t clamped = 0;
};

/// Errors: what keeps the program from being started or controlled at all.
Result<SearchResult> search(const TestBinary& binary, const SearchOptions& options,
                            Watchdog& watchdog);

/// Fewer deviations from Go's own order that still give `ending` (ddmin over the choices; Zeller,
/// Hildebrandt, TSE 2002). At most `runs` runs; their number is added to `used`.
Result<std::vector<std::uint32_t>> shrink(const TestBinary& binary, const RunOptions& run,
                                          std::vector<std::uint32_t> choices, Ending ending,
                                          std::size_t runs, Watchdog& watchdog, std::size_t& used);

/// Likewise, with a runner that the caller has.
Result<std::vector<std::uint32_t>> shrink(TestRunner& runner, std::vector<std::uint32_t> choices,
                                          Ending ending, std::size_t runs, std::size_t& used);

/// How many of them are not 0.
std::size_t count_deviations(const std::vector<std::uint32_t>& choices);

}  // namespace weir::sched
