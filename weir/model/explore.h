#pragma once
// What `weir explore` found out about one test.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/model/schedule.h"

namespace weir::model {

/// Goroutines that a test left over, of one fingerprint.
struct ExploreLeak {
  Fingerprint fingerprint;
  std::vector<Goid> goroutines;
  Certainty certainty = Certainty::likely;  ///< proved, or likely
  std::string because;                      ///< why proved, or why not; a clause
  std::vector<std::string> path;  ///< from what holds it to what it waits for; may be empty
};

/// A fault, with the schedule that leads to it.
struct ExploreFinding {
  Schedule schedule;
  std::string file;                     ///< where it was written; empty if it was not
  std::string token;                    ///< the same in a word; empty if it is too large for one
  std::uint64_t found_in = 0;           ///< in the how manieth schedule, from 1
  std::uint64_t deviations = 0;         ///< points of it that are not as Go would have them
  std::uint64_t deviations_before = 0;  ///< the same before it was shrunk
  std::uint64_t confirmed = 0, replayed = 0;
  std::optional<ScheduleEnd> end;  ///< the goroutines at the end
  std::vector<ExploreLeak> leaks;  ///< outcome "leak"
  std::string output;              ///< what the program wrote
};

struct Exploration {
  std::string package;
  std::string test;
  std::string control;  ///< "controlled", "observed", "not controlled"
  std::string why;      ///< the reason for "not controlled"
  std::uint64_t schedules = 0;
  std::uint64_t distinct = 0;  ///< different ones among them
  std::uint64_t orders = 0;    ///< of which so many differ in an order that matters
  std::uint64_t places = 0;    ///< in the code, before which another goroutine may be let in: seen
  std::uint64_t switched = 0;  ///< of those, where one was
  std::uint64_t points = 0;    ///< of the first one, at which more than one goroutine could run
  std::vector<std::pair<std::string, std::uint64_t>> strategies;  ///< schedules tried by each
  std::optional<std::uint64_t> exhausted;         ///< delay bound of which every schedule was tried
  std::uint64_t exhausted_schedules = 0;          ///< how many those were
  bool complete = false;                          ///< every schedule of any bound was tried
  std::optional<std::uint64_t> exhausted_orders;  ///< all orders of operations: so many
  std::uint64_t exhausted_orders_schedules = 0;   ///< tried to see them
  std::string unreduced;                          ///< why their number cannot be told; may be empty
  bool stopped = false;                           ///< Ctrl-C
  std::vector<std::pair<std::string, std::uint64_t>>
      unknown;                            ///< runs without a verdict, by reason
  std::uint64_t unconfirmed = 0;          ///< failures that did not replay
  std::vector<std::string> observations;  ///< "files or the network" …
  std::uint64_t clamped = 0;              ///< calls that wanted GOMAXPROCS above 1
  std::uint64_t seed = 0;
  std::optional<ExploreFinding> finding;
};

}  // namespace weir::model
