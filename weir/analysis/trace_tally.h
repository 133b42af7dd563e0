#pragma once
// TraceTally: intervals of a trace counted up, by kind and by what the user asks for.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weir/base/pattern.h"
#include "weir/model/trace.h"
#include "weir/model/trace_report.h"

namespace weir::analysis {

struct TraceQuery {
  model::TraceBy by = model::TraceBy::stack;
  std::optional<Pattern> focus;           ///< a function or file of the stack matches
  Nanos min;                              ///< leaves out what was shorter
  std::optional<Nanos> from, to;          ///< leaves out what ended before `from` or after `to`
  std::vector<std::uint64_t> goroutines;  ///< only these; empty: all

  bool takes_all() const { return !focus && min.value == 0 && !from && !to && goroutines.empty(); }
};

/// Memory depends on the number of different stacks (and wakers), not on that of intervals.
class TraceTally : public model::TraceSink {
 public:
  /// Rows above this number are counted as one, "everything else"; the same for pairs of wakers.
  static constexpr std::size_t most_rows = 100'000;
  static constexpr std::size_t most_pairs = 400'000;

  /// Both must outlive the tally.
  TraceTally(const model::TraceNames& names, const TraceQuery& query);
  ~TraceTally() override;
  void take(const model::TraceInterval& interval) override;

  /// Whether the query takes this one.
  bool wanted(const model::TraceInterval& interval);
  /// Everything but the summary and the health. May be called once.
  model::TraceReport finish();

 private:
  struct Pair {
    std::uint32_t row = 0, waker_stack = 0;
    std::uint64_t count = 0, nanos = 0;
  };
  struct Row {
    model::TraceKind kind = model::TraceKind::other;
    std::uint32_t key = 0;
    std::uint32_t stack = 0;                      // of the longest
    std::uint32_t last_waker = 0, last_pair = 0;  // the pair that comes again most of the time
    std::uint64_t count = 0, nanos = 0;
    std::int64_t longest = -1, longest_at = 0;
    std::uint64_t longest_goroutine = 0;
    model::LogHistogram histogram;
  };
  struct Open {
    std::uint64_t count = 0, from_start = 0;
    model::TraceInterval longest;
    std::vector<std::uint64_t> goroutines;
  };
  class PairIndex;

  bool matches_focus(std::uint32_t stack);
  [[gnu::noinline]] std::uint32_t key_of(const model::TraceInterval& interval);
  std::uint32_t key_of_number(std::uint64_t number);
  Row& row_of(model::TraceKind kind, std::uint32_t key);
  Row& new_row(model::TraceKind kind, std::uint32_t key);
  void add(const model::TraceInterval& interval);
  void add_pair(Row& row, const model::TraceInterval& interval, std::uint64_t nanos);
  void add_open(const model::TraceInterval& interval);
  model::TraceRow describe(const Row& row, const std::vector<const Pair*>& pairs) const;
  std::string key_text(const Row& row) const;
  static void merge_rows(model::TraceRow& to, model::TraceRow&& from);
  void add_open_report(model::TraceReport& report) const;

  const model::TraceNames& names_;
  const TraceQuery& query_;
  const bool by_stack_, all_;  // of the query: rows are stacks; every interval is taken
  std::vector<Row> rows_;
  std::array<std::vector<std::uint32_t>, model::trace_kind_count> row_index_;  // by key: row + 1
  std::array<std::uint32_t, model::trace_kind_count> rest_row_{};  // of all other keys: row + 1
  std::vector<Pair> pairs_;
  std::unique_ptr<PairIndex> pair_index_;
  std::vector<std::uint8_t> focus_;  // by stack: 0 not looked at, 1 matches, 2 does not
  std::unordered_map<std::uint64_t, std::uint32_t> number_keys_;  // by goroutine, or by P
  std::vector<std::uint64_t> number_of_key_;
  std::unordered_map<std::uint64_t, Open> open_;  // by kind and stack
  std::uint64_t open_goroutines_ = 0;
  bool folds_ = false;
};

/// The stack as model frames, innermost first; what a traceback would not show in front is left
/// out.
model::Stack stack_of(const model::TraceNames& names, std::uint32_t stack);
/// The innermost frame of the user's in words, else the innermost of all: "app.(*T).run  t.go:12".
std::string place_of(const model::Stack& stack);
/// The words that a traceback has for such a wait.
std::string wait_reason_of(model::TraceKind kind);

}  // namespace weir::analysis
