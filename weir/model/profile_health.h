#pragma once
// What a profile says of a program's health, and of groups within it by label.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"

namespace weir::model {

struct HealthLimits {
  double parked = 70;           ///< goroutine: per cent of them in runtime.gopark
  Nanos mean_wait{10'000'000};  ///< block
  Nanos mean_hold{1'000'000};   ///< mutex
};

/// The user's part of one stack, and what it contributes.
struct HealthStack {
  std::string state;  ///< of goroutines: "chan receive"; of waits: what was waited for
  std::vector<std::string> functions;  ///< innermost first
  std::int64_t count = 0;              ///< goroutines, or waits
  std::int64_t nanos = 0;              ///< of all waits together
  bool crosses = false;                ///< this stack alone is beyond the limit
  std::string test;                    ///< the Go test on whose goroutine it is; empty if on none's
  std::string file;                    ///< where the first of `functions` is; empty if not known
  std::int64_t line = 0;
};

struct HealthReport {
  enum class Kind : std::uint8_t { goroutines, waits, locks } kind = Kind::goroutines;
  std::string source;
  std::string package;  ///< whose tests wrote the profile; empty if none did
  double measured = 0;  ///< per cent, or nanoseconds
  double limit = 0;
  bool crossed = false;
  std::int64_t count = 0;                        ///< goroutines, or waits
  std::map<std::string, std::int64_t> by_state;  ///< of count
  std::vector<HealthStack> stacks;               ///< heaviest first
  Notes notes;
};

/// The samples with one value of a label.
struct ClusterRow {
  std::string value;  ///< empty: without the label
  std::int64_t amount = 0;
  std::uint64_t samples = 0;
  std::map<std::string, std::int64_t> by_state;           ///< of a goroutine profile
  std::vector<std::pair<std::string, std::int64_t>> top;  ///< heaviest functions, by flat
};

struct ClusterReport {
  std::string label;
  std::string type, unit;
  std::int64_t total = 0;
  std::vector<ClusterRow> rows;  ///< heaviest first
  std::vector<std::string> known_labels;
};

}  // namespace weir::model
