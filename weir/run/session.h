#pragma once
// Session: one Go program run from start to end under weir's eye.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/notes.h"
#include "weir/model/snapshot.h"
#include "weir/run/program.h"

namespace weir::run {

/// Goroutine numbers around one test, as seen at the stops at its start and end.
struct TestCounts {
  std::string test;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t peak = 0;  ///< the highest number seen at any stop between
};

/// What was learnt while the program ran.
struct Facts {
  bool has_tests = false;             ///< package testing's runner is in the program
  std::map<Goid, std::string> tests;  ///< a test's own goroutine → its name, "TestA/sub"
  std::set<Goid> before_first_test;   ///< existed when the first test (or main.main) began
  Goid ending;                        ///< the goroutine that ends the program; 0 before
  std::vector<TestCounts> counts;     ///< in order of start; only with SessionOptions::count
};

struct SessionOptions {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  Nanos settle{1'000'000'000};        ///< how long goroutines may take to end; 0 = look once
  Nanos stuck_after{10'000'000'000};  ///< 0 = never look for a stuck program
  /// How many ancestors the runtime is told to remember for each goroutine (what
  /// GODEBUG=tracebackancestors=N does); 0 = leave it alone.
  int ancestors = 16;
  bool count = false;  ///< goroutine numbers per test: one more stop per test
  /// Indices of the goroutines that should be gone at the program's end.
  std::function<std::vector<std::size_t>(const model::Snapshot&, const Facts&)> lingering;
  /// True if nothing in the snapshot can make progress. Asked only when nothing seems to move.
  std::function<bool(const model::Snapshot&, const std::vector<Timer>&)> is_stuck;
  /// Called once, just before a stuck program is ended with SIGQUIT.
  std::function<void(const model::Snapshot&, const std::vector<Timer>&)> on_stuck;
};

/// How it ended, as far as weir could see.
enum class End : std::uint8_t {
  unwatched,      ///< weir could not look: Outcome::unwatched says why
  exit_called,    ///< os.Exit
  main_returned,  ///< main.main returned
  deadlock,       ///< the runtime found all goroutines asleep
  stuck,          ///< weir found that nothing can move, and ended it
  died,           ///< a panic, a signal, a fatal error, or syscall.Exit
};

struct Outcome {
  End end = End::unwatched;
  int wait_status = 0;                      ///< as from waitpid
  std::optional<int> asked_code;            ///< what the program wanted to exit with
  Error unwatched;                          ///< End::unwatched: why, with the remedy in its context
  std::optional<model::Snapshot> snapshot;  ///< the last look at the goroutines, if there was one
  std::vector<Timer> timers;                ///< of that moment
  bool settling = false;                    ///< it died while weir waited for lingering goroutines
  Facts facts;
  std::string package;  ///< import path of what was built; a test binary's: of what it tests
  std::string go_version;
  std::string build_id;
  Nanos settled{0};  ///< how long the end was put off
  Nanos stopped{0};  ///< how long all threads stood still, in sum
  Notes notes;

  /// As a shell would say: the exit code, or 128 + the signal.
  int code() const;
};

/// Starts the program and stays until it has ended. It always runs, watched or not. Errors: only
/// when nothing could be started.
Result<Outcome> run_session(const SessionOptions& options);

}  // namespace weir::run
