#pragma once
// What `weir watch` counts, holds against its rules, and tells.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::model {

/// Goroutines with one fingerprint at one look.
struct WatchGroup {
  std::string key;  ///< the fingerprint's, for people
  std::uint64_t count = 0;
  bool own = false;     ///< the user's own code is on their stacks, or has started them
  bool serves = false;  ///< net/http.(*conn).serve is on their stacks
};

/// Goroutines that wait at one source line.
struct WatchLine {
  CodePlace place;
  std::uint64_t count = 0;
  std::string fingerprint;  ///< the id of the largest group there
  std::uint64_t largest = 0;
};

/// One look, counted.
struct WatchPoint {
  Nanos at;
  std::uint64_t total = 0;
  std::uint64_t parked = 0;                  ///< waiting: in runtime.gopark
  std::uint64_t connections = 0;             ///< with net/http.(*conn).serve on the stack
  std::map<std::string, WatchGroup> groups;  ///< by fingerprint id
  std::map<std::string, WatchLine> lines;    ///< by "file:line"
};

/// A group whose number changed since the series' beginning, or the target's last restart.
struct WatchChange {
  Fingerprint fingerprint;
  std::uint64_t first = 0;
  std::uint64_t now = 0;
};

/// When to raise an alarm. What is empty is off. docs/watch.md has the reasons.
struct WatchRules {
  std::size_t baseline = 3;  ///< looks that make the steady state
  /// How many standard deviations of a random number of goroutines a change must be, if goroutines
  /// come and go independently of each other (Poisson).
  double noise = 3;
  std::optional<double> parked_growth = 10;        ///< per cent over the steady state
  std::optional<double> connections = 10;          ///< per cent to both sides of it
  std::optional<std::size_t> own_growth = 3;       ///< looks above all before them
  std::optional<std::uint64_t> one_line = 10'000;  ///< goroutines
  std::optional<std::size_t> monotonic = 3;        ///< looks
  std::vector<std::string> own_packages{};  ///< import paths; none: all but the standard library
};

/// One rule that was crossed.
struct RuleHit {
  std::string rule;       ///< its name in .weir.yaml: "parked-growth", "http-conns" …
  std::string subject;    ///< the id of the group it is about; empty: none
  std::string statement;  ///< what was seen, a clause
};

/// One question of the way to a cause, and its answer.
struct CauseStep {
  std::string question;
  std::string answer;    ///< "yes", "no", "not known"
  std::string evidence;  ///< a clause
};

/// The way through the questions that the answers took.
struct CausePath {
  std::vector<CauseStep> steps;
  std::string branch;  ///< where it ended: "receiver-returned", stable (docs/watch.md)
  Certainty certainty = Certainty::possible;  ///< never proved
  std::string sentence;
  std::string weakened_by;  ///< may be empty
  std::string advice;
};

/// What a proof says of the group that an alarm is about.
struct AlarmProof {
  bool by_runtime = false;   ///< the program's own goroutineleak profile; else by reachability
  std::string refused;       ///< not empty: nothing is proved, because of this
  std::uint64_t proved = 0;  ///< leaked goroutines of the group
  std::uint64_t held = 0;    ///< something that can go on leads to what they wait for
  std::uint64_t proved_in_all = 0;  ///< leaked goroutines of the program
  std::vector<std::string> path;    ///< of one that is held: from its root to what it waits for
  std::optional<Nanos> stopped;     ///< how long the process stood
};

/// What was crossed at one look, for one group.
struct WatchAlarm {
  std::string target;
  Nanos at;
  std::vector<RuleHit> hits;          ///< at least one
  Fingerprint subject;                ///< empty: no group of its own
  std::vector<std::uint64_t> counts;  ///< of the subject, at the last looks
  std::optional<Goroutine> exemplar;
  std::optional<CausePath> path;
  std::optional<AlarmProof> proof;  ///< where one was asked for
};

/// What became of one look.
struct WatchLook {
  std::string target;
  Nanos at;
  std::string missed;     ///< not empty: nothing was seen, and this is why
  std::string restarted;  ///< not empty: the target is another process now; how weir knows
  std::uint64_t total = 0;
  std::uint64_t parked = 0;
  std::int64_t change = 0;           ///< of the total, since the beginning
  bool first = false;                ///< of the series, or since a restart
  std::vector<WatchChange> changes;  ///< largest growth first; without those that stayed
  bool partial = false;
  Notes notes;
};

/// A group as collectors of metrics get it.
struct WatchCount {
  Fingerprint fingerprint;
  std::uint64_t count = 0;
};

/// What is known of one target now, for collectors of metrics.
struct WatchStatus {
  std::string target;
  Nanos started;             ///< of the series
  std::optional<Nanos> at;   ///< of the last look; empty: there was none yet
  bool seen = false;         ///< the last look saw something
  std::uint64_t total = 0;   ///< goroutines at the last look that saw something
  std::uint64_t parked = 0;  ///< of these
  std::uint64_t looks = 0;   ///< that saw something
  std::uint64_t missed = 0;
  std::uint64_t restarts = 0;
  std::map<std::string, std::uint64_t> alarms;  ///< by rule
  std::vector<WatchCount> groups;               ///< the largest, largest first
};

/// How one target's series went.
struct WatchSummary {
  std::string target;
  std::int64_t series = 0;
  std::uint64_t looks = 0;  ///< that saw something
  std::uint64_t missed = 0;
  std::uint64_t restarts = 0;
  std::uint64_t alarms = 0;
  std::optional<std::uint64_t> first;  ///< goroutines at the first look that saw something
  std::optional<std::uint64_t> last;
  std::vector<WatchChange> changes;  ///< since the beginning, or the last restart
  bool over = false;                 ///< the series has come to its end; else it can be resumed
  std::optional<Nanos> until;
};

}  // namespace weir::model
