#pragma once
// Schedule: one order in which the goroutines of a test ran, point by point. What a schedule file
// holds (docs/schedule-format.md).
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/model/gate.h"

namespace weir::model {

/// A place of the run where another goroutine could have gone on.
struct ScheduleStep {
  Goid goroutine;  ///< who was about to act; of a "resume": whom Go would have taken
  std::string
      operation;  ///< "chan send", "sync.(*Mutex).Lock" …; "resume": somebody had to be picked
  std::uint32_t object =
      0;            ///< what is operated on, numbered from 1 in order of appearance; 0: nothing
  CodePlace where;  ///< the user's line; empty for a resume
  std::uint32_t alternatives = 1;  ///< goroutines that could go on
  std::uint32_t choice = 0;        ///< which of them did; 0 is what Go does by itself
  Goid runs;                       ///< its id
};

struct Schedule {
  std::string weir_version;
  std::string go_version;
  std::string build_id;  ///< of the test binary: the schedule means nothing for another one
  std::string hooks;     ///< hash of the places that weir watched in it, hex
  std::string package;   ///< import path; may be empty
  std::string folder;    ///< where the test runs; may be empty
  std::string test;
  bool race = false;                   ///< the test binary was built with -race
  std::vector<std::string> arguments;  ///< more arguments of the program: "-test.short=true"
  std::uint64_t seed = 0;              ///< random bytes of the process, and select's choices
  std::string strategy;                ///< what found it
  std::vector<ScheduleStep> steps;
  std::string outcome;  ///< "deadlock", "leak", "panic", "failed", "fatal error", "data race",
                        ///< "passed"
  std::string message;  ///< Go's words
  std::string hash;     ///< of all points and the outcome, hex
  std::vector<Address> objects;  ///< where object n was: [n - 1]. Not in files
};

/// One goroutine that waits when the schedule has ended.
struct EndGoroutine {
  Goid id;
  std::string waits;  ///< "sync.Mutex #2", "send on chan int #3"; #n as in ScheduleStep::object
  CodePlace where;    ///< the innermost function of the user
  /// Of a lock: who has it, by the schedule's own account; for a reader also the writer before it.
  std::vector<Goid> waits_for;
};

/// One of two accesses to the same memory that nothing puts in an order.
struct RaceAccess {
  std::string what;                ///< "write", "previous read"
  std::string by;                  ///< "goroutine 8", by the race detector's own numbers
  std::vector<CodePlace> stack;    ///< innermost first; empty: the detector no longer knew it
  std::vector<CodePlace> created;  ///< where that goroutine was started, likewise
};

struct ScheduleEnd {
  std::vector<EndGoroutine> goroutines;  ///< ascending
  std::vector<Goid> cycle;  ///< each waits for a lock that the next one has, the last for the first
  std::vector<RaceAccess> race;  ///< outcome "data race": the newer access first; else empty
};

}  // namespace weir::model
