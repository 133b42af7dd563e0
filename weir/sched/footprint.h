#pragma once
// Footprint: what a part of a run touches, as far as that matters to the order of operations: two
// parts of different goroutines commute if their footprints do not meet. Whatever is not known to
// touch one object only touches everything.
#include <cstdint>
#include <vector>

#include "weir/sched/run.h"

namespace weir::sched {

class Footprint {
 public:
  static Footprint everything();

  /// Addresses [from, to).
  void add(std::uint64_t from, std::uint64_t to) { ranges_.push_back({from, to}); }
  void add(const Footprint& other);
  bool meets(const Footprint& other) const;
  bool is_everything() const { return everything_; }

 private:
  struct Range {
    std::uint64_t from, to;
  };
  bool everything_ = false;
  std::vector<Range> ranges_;
};

/// Of one operation (an event that is no resumption).
Footprint footprint_of(const RunRecord& record, std::uint32_t event);

/// From this operation on everything that its goroutine does touches everything: it leaves
/// something to be done later, at a place that is no event (Once.Do marks itself done at its end).
bool is_lasting(const RunEvent& event);

}  // namespace weir::sched
