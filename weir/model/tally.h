#pragma once
// Tally: goroutines counted by what they do, the form in which all kinds of evidence can be
// compared. A dump, a profile and a live process all give one; they differ in what they know.
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/notes.h"
#include "weir/model/snapshot.h"

namespace weir::model {

/// What this kind of evidence tells about a goroutine. A profile has neither; text has both.
struct TallyKnows {
  bool state = true;    ///< status and wait reason; else they are guessed from the stack
  bool wait = true;     ///< what it waits for, be it read off the stack; debug=1 hides that
  bool creator = true;  ///< which function started it
};

/// Goroutines that are alike: same state, stack, labels and creator.
struct TallyEntry {
  Goroutine exemplar;  ///< the one that has waited longest, if that is known; id 0 in a profile
  std::uint64_t count = 0;
  std::optional<Nanos> longest_wait;  ///< of all; a lower bound, as in Goroutine
  /// How many different channels, locks and WaitGroups they wait on; a select counts with its stop
  /// channel. Only of a process or recording, and where each of them is known.
  std::optional<std::uint64_t> objects = {};
};

struct Tally {
  Source source;
  TallyKnows knows;
  std::vector<TallyEntry> entries;  ///< in the order in which they first came
  bool partial = false;             ///< something is missing; the notes say what
  Notes notes;

  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const TallyEntry& entry : entries) sum += entry.count;
    return sum;
  }
};

}  // namespace weir::model
