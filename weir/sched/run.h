#pragma once
// One run of one test under control: every choice is asked for, and everything that was asked is
// recorded.
#include <sys/user.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/gortime/reach.h"
#include "weir/sched/binary.h"
#include "weir/sched/chooser.h"
#include "weir/sched/watchdog.h"

namespace weir::sched {

/// How a run ended.
enum class Ending : std::uint8_t {
  passed,
  failed,    ///< the test itself reported failure
  deadlock,  ///< the runtime found all goroutines asleep
  panic,     ///< nobody recovered it
  fatal,     ///< the runtime stopped the program for a fault of its own: concurrent map writes …
  leak,      ///< passed, but goroutines of the test wait on
  race,      ///< the race detector (go test -race) has reported a data race
  not_started,  ///< the program ended before the test began
  crashed,      ///< the runtime broke. Taken for weir's fault
  stalled,      ///< no point was reached any more: the watchdog ended it
  endless,      ///< more points than RunOptions::event_limit
  diverged,     ///< RunOptions::check said so
  died,         ///< it ended in a way that weir does not know: a signal, syscall.Exit
};
std::string_view to_string(Ending ending);
/// A fault of the test or of what it tests.
bool is_finding(Ending ending);
/// Nothing can be said about the test.
bool is_unknown(Ending ending);

/// One point of the schedule.
struct RunEvent {
  Goid goroutine;              ///< who is about to act; of a resumption: whom Go would take
  const Hook* hook = nullptr;  ///< null: a resumption (somebody has to be picked)
  agent::PointKind kind = agent::PointKind::resume;
  Address pc;  ///< of the operation, or where it is called from
  std::uint32_t object =
      0;  ///< number of what is operated on, from 1 in order of appearance; 0: none
  std::uint32_t alternatives = 1;
  std::uint32_t choice = 0;
  Goid runs;           ///< who goes on
  bool timer = false;  ///< it was chosen that a timer fires first
};

/// When somebody had to be picked: one goroutine goes on from there to the next moment.
struct Moment {
  std::uint32_t event = 0;          ///< number of the next event, from 0
  bool asked = false;               ///< that event is the question; else only one could run
  bool hidden_before = false;       ///< since the moment before, something was done that may be an
                                    ///< operation, and is no event
  std::uint32_t at = 0, count = 0;  ///< the goids that could run, in RunRecord::log
};

struct SelectChannels {
  std::uint32_t event = 0;
  std::uint32_t at = 0, count = 0;  ///< addresses, in RunRecord::log; 0: nil
};

struct LeftOver {
  Goid id;
  std::string wait_reason;  ///< "chan send"; of one that does not wait "runnable", "running" …
  auto operator<=>(const LeftOver&) const = default;
};

struct RunRecord {
  Ending ending = Ending::died;
  std::string message;  ///< Go's words, or weir's reason for stalled, crashed, endless
  std::vector<RunEvent> events;
  std::vector<Address> objects;  ///< what the numbers of RunEvent::object stand for
  std::uint64_t hash = 0;        ///< of all events and the ending
  std::vector<Moment> moments;
  std::vector<SelectChannels> selects;
  std::vector<std::uint64_t> log;  ///< what the two above tell of
  bool log_whole = false;          ///< false: some of it is lost
  bool hidden_at_end = false;      ///< Moment::hidden_before, after the last
  bool unordered = false;          ///< the test does what has no order of operations: timers …
  /// Runs with an equal one have the same operations in the same order on each object and in each
  /// goroutine, and the same ending; they differ in the order of what has nothing to do with each
  /// other. That one goroutine wakes another is not counted as order.
  std::uint64_t order_hash = 0;
  std::vector<LeftOver> left;             ///< Ending::leak
  std::vector<std::string> observations;  ///< what the test does that weir does not control
  std::uint32_t clamped = 0;              ///< calls of runtime.GOMAXPROCS that wanted more than 1
  std::uint64_t asked = 0;                ///< how often the agent was, points or not
  std::uint32_t refused = 0;              ///< preemptions that the runtime refused
  std::string output;                     ///< stdout and stderr, up to a limit

  /// The choices at points with more than one alternative.
  std::vector<std::uint32_t> choices() const;
  /// How many such points there are.
  std::size_t choice_points() const;
  std::span<const std::uint64_t> goids_of(const Moment& moment) const {
    return std::span(log).subspan(moment.at, moment.count);
  }
};

/// What the race detector ends the process with.
inline constexpr int race_exit_code = 66;

/// The process as it stands at its end (deadlock, panic, leak, fatal), still whole.
struct EndState {
  int pid = 0;
  int thread = 0;  ///< stopped
  user_regs_struct registers{};
  std::vector<gortime::MemoryRange> own_memory;  ///< the agent and the clock; ascending
};

/// Goroutines that the test started and that are still there a minute (of virtual time) after its
/// end → which of them are leaks. Errors: the run then has no verdict.
using LeakRule =
    std::function<Result<std::vector<Goid>>(const EndState&, const std::vector<LeftOver>&)>;

struct RunOptions {
  std::string pattern;                 ///< go test's -run, naming one test
  std::string folder;                  ///< the package's
  std::vector<std::string> arguments;  ///< more arguments for the program
  std::uint64_t seed = 1;              ///< of the random bytes of the process
  std::size_t event_limit = 1'000'000;
  /// A timer that is due so soon may fire before the next operation; 0: only when nobody can run.
  Nanos jitter{100'000};
  /// Asked about each point, with its number from 0, once the run has ended. What is wrong with the
  /// first one makes it diverged.
  std::function<std::optional<std::string>(std::size_t, const RunEvent&)> check;  ///< may be null
  std::function<void(const EndState&)> at_end;                                    ///< may be null
  LeakRule leaks;  ///< null: all that are left over
};

/// In a process of its own (TestRunner is for many runs). Errors: what keeps the program from being
/// started or controlled at all.
Result<RunRecord> run_schedule(const TestBinary& binary, const RunOptions& options,
                               const Chooser& chooser, Watchdog& watchdog);

}  // namespace weir::sched
