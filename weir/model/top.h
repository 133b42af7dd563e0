#pragma once
// What `weir top` and `weir diff` answer.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/tally.h"

namespace weir::model {

/// What goroutines are grouped by.
enum class TopBy : std::uint8_t {
  fingerprint,  ///< user functions, wait and creator
  state,        ///< what they wait for
  function,     ///< the innermost function of the user
  created,      ///< the function that started them
  package,      ///< the package of the innermost function of the user
  stack,        ///< the stack's functions and lines
  label,        ///< the value of one pprof label
};
/// "fingerprint", "state", "func", "created", "package", "stack", "label".
std::string_view to_string(TopBy by);

struct TopRow {
  std::string key;  ///< what its goroutines have in common, in words
  std::string id;   ///< the fingerprint's; empty unless grouped by it
  std::uint64_t count = 0;
  std::optional<Nanos> longest_wait;  ///< a lower bound
  Goroutine exemplar;                 ///< of the entry that waits longest, else of the largest
  std::uint64_t kinds = 0;            ///< how many tally entries are in it
};

struct TopReport {
  Source source;
  TallyKnows knows;
  TopBy by = TopBy::fingerprint;
  std::string label;          ///< the key, with TopBy::label
  std::uint64_t total = 0;    ///< goroutines before the filter
  std::uint64_t chosen = 0;   ///< after it
  std::uint64_t waiting = 0;  ///< of the chosen: parked, as opposed to running or in a system call
  std::vector<TopRow> rows;   ///< largest first
  bool partial = false;
  Notes notes;
};

enum class Movement : std::uint8_t { is_new, grown, shrunk, gone, same };
/// "new", "grown", "shrunk", "gone", "same".
std::string_view to_string(Movement movement);

struct TrendRow {
  Fingerprint fingerprint;
  Movement movement = Movement::same;  ///< from the first to the last
  std::vector<std::uint64_t> counts;   ///< one for each Tally
  /// (last - first) per minute, where both times are known and a second apart at least.
  std::optional<double> per_minute;
  /// Three Tallies or more, never shrinking, and more at the end than at the beginning.
  bool monotonic = false;
  Goroutine exemplar;  ///< from the last Tally that has one
};

struct TrendReport {
  std::vector<Source> sources;
  std::vector<std::uint64_t> totals;
  std::vector<TrendRow> rows;  ///< largest growth first, what did not move last
  std::optional<Nanos> span;   ///< from the first to the last, where known
  Notes notes;

  /// Whether anything is new or has grown.
  bool grew() const {
    return std::any_of(rows.begin(), rows.end(), [](const TrendRow& row) {
      return row.movement == Movement::is_new || row.movement == Movement::grown;
    });
  }
};

}  // namespace weir::model
