#pragma once
// From each kind of evidence to a Tally.
#include <memory>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/dump/goroutine_text.h"
#include "weir/model/tally.h"
#include "weir/pprof/profile.h"

namespace weir::ingest {

/// The runtime's own goroutines are left out, as Go's tracebacks and profiles leave them out.
model::Tally tally_snapshot(model::Snapshot snapshot);

/// A goroutine or goroutineleak profile. Errors: unsupported for a profile that counts something
/// else ("it counts cpu/nanoseconds").
Result<model::Tally> tally_profile(const pprof::Profile& profile);

/// The text of debug=1. Errors: those of dump::parse_counts.
Result<model::Tally> tally_counts(std::string_view text);

/// Goroutine text that comes in pieces: memory grows with the number of different stacks, not with
/// the text. Of several dumps in one input each is one Tally.
class TextTally {
 public:
  TextTally();
  TextTally(const TextTally&) = delete;
  TextTally& operator=(const TextTally&) = delete;
  ~TextTally();

  void feed(std::string_view piece);
  /// Call once. Empty if there was no goroutine in the text.
  std::vector<model::Tally> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::ingest
