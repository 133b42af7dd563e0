#pragma once
// What `weir trace` answers.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/histogram.h"
#include "weir/model/snapshot.h"
#include "weir/model/trace.h"
#include "weir/model/trace_life.h"

namespace weir::model {

/// How long one thing took, many times.
struct Distribution {
  std::uint64_t count = 0;
  Nanos total;
  Nanos longest;
  std::int64_t longest_at = 0;          ///< when the longest began, ns since the first event
  std::uint64_t longest_goroutine = 0;  ///< whose it was
  LogHistogram histogram;               ///< nanoseconds

  Nanos percentile(double share) const {
    return std::min(Nanos{static_cast<std::int64_t>(histogram.percentile(share))}, longest);
  }
};

/// What the rows of a distribution have in common.
enum class TraceBy : std::uint8_t { stack, func, creator, start, task, region, proc, goroutine };
/// "stack", "func", "creator", "start", "task", "region", "proc", "goroutine".
std::string_view to_string(TraceBy by);

/// Who ended the waits of a row, and how often.
struct TraceWaker {
  std::string where;  ///< in words: the innermost function of the user's
  Stack stack;        ///< empty: the runtime (network, timers), or nobody
  std::uint64_t count = 0;
  Nanos total;
};

struct TraceRow {
  std::string key;  ///< in words
  Stack stack;      ///< with TraceBy::stack; else of the longest
  Distribution waits;
  std::vector<TraceWaker> wakers;  ///< most time first; only with TraceBy::stack
};

/// One kind of wait, as a whole and by what the user asked for.
struct TraceSection {
  TraceKind kind = TraceKind::woken;
  bool scheduling = false;  ///< all four kinds of waiting for a P together; `kind` is the first
  Distribution waits;
  std::vector<TraceRow> rows;                              ///< most time first
  std::vector<std::pair<TraceKind, std::uint64_t>> parts;  ///< scheduling: how many of which kind
};

/// Waits that had not ended when the trace did, of goroutines that do the same.
struct OpenWaits {
  TraceKind kind = TraceKind::unknown;
  std::uint64_t count = 0;
  std::uint64_t from_start = 0;           ///< of them, those that waited before the trace began
  Nanos longest;                          ///< as far as the trace shows
  std::vector<std::uint64_t> goroutines;  ///< the first few
  Fingerprint fingerprint;                ///< weir's own, as in every other command
  Goroutine exemplar;
};

/// A rule about a trace, and whether it holds.
struct TraceHealth {
  std::string rule;  ///< "sched.p99"
  std::string text;  ///< a sentence: what was measured and what the threshold is
  bool crossed = false;
};

struct TraceReport {
  TraceSummary summary;
  TraceBy by = TraceBy::stack;
  std::vector<TraceLife> lives;        ///< of the goroutines that were asked for
  std::vector<TraceSection> sections;  ///< scheduling first, then by total time
  std::vector<OpenWaits> open;         ///< waits for other goroutines; largest groups first
  std::uint64_t open_goroutines = 0;
  std::vector<TraceHealth> health;
  std::string filter;  ///< in words, what the sections leave out; empty: nothing
  Notes notes;
};

}  // namespace weir::model
