#include "weir/analysis/trace_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/analysis/fingerprint.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::TraceBy;
using model::TraceInterval;
using model::TraceKind;

/// Pairs by (row, waker stack): open addressing, since this is asked for nearly every interval.
class TraceTally::PairIndex {
 public:
  PairIndex() : cells_(1024, 0) {}

  /// The pair's number, or that of a new one at the end of `pairs`.
  std::uint32_t find_or_add(std::vector<Pair>& pairs, std::uint32_t row, std::uint32_t stack) {
    if ((pairs.size() + 1) * 2 > cells_.size()) grow(pairs);
    std::size_t i = home(row, stack);
    for (; cells_[i] != 0; i = (i + 1) & (cells_.size() - 1)) {
      const Pair& pair = pairs[cells_[i] - 1];
      if (pair.row == row && pair.waker_stack == stack) return cells_[i] - 1;
    }
    pairs.push_back({row, stack, 0, 0});
    cells_[i] = static_cast<std::uint32_t>(pairs.size());
    return cells_[i] - 1;
  }

 private:
  std::size_t home(std::uint32_t row, std::uint32_t stack) const {
    const std::uint64_t key = (std::uint64_t{row} << 32) | stack;
    return ((key * 0x9e3779b97f4a7c15u) >> 24) & (cells_.size() - 1);
  }
  void grow(const std::vector<Pair>& pairs) {
    cells_.assign(cells_.size() * 2, 0);
    for (std::size_t n = 0; n < pairs.size(); ++n) {
      std::size_t i = home(pairs[n].row, pairs[n].waker_stack);
      while (cells_[i] != 0) i = (i + 1) & (cells_.size() - 1);
      cells_[i] = static_cast<std::uint32_t>(n + 1);
    }
  }

  std::vector<std::uint32_t> cells_;
};

namespace {

constexpr std::uint32_t everything_else = ~std::uint32_t{0};
constexpr std::size_t most_wakers = 5;
constexpr std::size_t most_named = 5;  // goroutines of a group of open waits
const char* const no_stack_text = "(no stack in the trace)";

/// What a section is about: the four ways of waiting for a P are one.
TraceKind section_of(TraceKind kind) {
  return is_scheduling(kind) ? TraceKind::woken : kind;
}

const model::Frame* user_frame(const model::Stack& stack) {
  for (const model::Frame& frame : stack)
    if (is_user_frame(frame)) return &frame;
  return nullptr;
}

void merge(model::Distribution& to, const model::Distribution& from) {
  to.count += from.count;
  to.total.value += from.total.value;
  if (to.longest < from.longest || to.longest_goroutine == 0) {
    to.longest = from.longest;
    to.longest_at = from.longest_at;
    to.longest_goroutine = from.longest_goroutine;
  }
  to.histogram.merge(from.histogram);
}

template <class Range>
void sort_by_time(Range& rows) {
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    return a.waits.total != b.waits.total ? a.waits.total > b.waits.total : a.key < b.key;
  });
}

}  // namespace

model::Stack stack_of(const model::TraceNames& names, std::uint32_t stack) {
  model::Stack frames;
  for (const std::uint32_t id : names.stack(stack)) {
    const model::TraceFrame& frame = names.frames[id];
    frames.push_back({.function = names.function(id),
                      .file = names.file(id),
                      .line = static_cast<std::int32_t>(frame.line),
                      .pc = Address{frame.pc},
                      .args = {}});
  }
  return frames;
}

std::string place_of(const model::Stack& stack) {
  if (stack.empty()) return no_stack_text;
  const model::Frame* frame = user_frame(stack);
  const std::string& function = frame != nullptr ? frame->function : stack.front().function;
  return function.empty() ? "(a function without a name)" : model::name_in_traceback(function);
}

TraceTally::TraceTally(const model::TraceNames& names, const TraceQuery& query)
    : names_(names),
      query_(query),
      by_stack_(query.by == TraceBy::stack),
      all_(query.takes_all()),
      pair_index_(std::make_unique<PairIndex>()) {}
TraceTally::~TraceTally() = default;

bool TraceTally::matches_focus(std::uint32_t stack) {
  if (stack >= focus_.size()) focus_.resize(names_.stack_count());
  std::uint8_t& known = focus_[stack];
  if (known == 0) {
    known = 2;
    for (const std::uint32_t frame : names_.stack(stack))
      if (query_.focus->matches(names_.function(frame)) ||
          query_.focus->matches(names_.file(frame)))
        known = 1;
  }
  return known == 1;
}

bool TraceTally::wanted(const TraceInterval& interval) {
  if (!query_.goroutines.empty() &&
      std::ranges::find(query_.goroutines, interval.goroutine) == query_.goroutines.end())
    return false;
  if (query_.from && interval.end < query_.from->value) return false;
  if (query_.to && interval.end > query_.to->value) return false;
  if (interval.duration() < query_.min.value) return false;
  return !query_.focus || matches_focus(interval.stack);
}

std::uint32_t TraceTally::key_of(const TraceInterval& interval) {
  switch (query_.by) {
    case TraceBy::stack:
    case TraceBy::func:
      return interval.stack;
    case TraceBy::creator:
      return interval.creation_stack;
    case TraceBy::start:
      return interval.start_stack;
    case TraceBy::task:
      return interval.task;
    case TraceBy::region:
      return interval.region;
    case TraceBy::proc:
      return key_of_number(interval.proc);
    case TraceBy::goroutine:
      break;
  }
  return key_of_number(interval.goroutine);
}

/// Numbers come from the trace, and may be any: keys are dense.
std::uint32_t TraceTally::key_of_number(std::uint64_t number) {
  const auto known = number_keys_.find(number);
  if (known != number_keys_.end()) return known->second;
  if (number_of_key_.size() >= most_rows) return everything_else;
  number_of_key_.push_back(number);
  const auto key = static_cast<std::uint32_t>(number_of_key_.size() - 1);
  number_keys_.emplace(number, key);
  return key;
}

inline TraceTally::Row& TraceTally::row_of(TraceKind kind, std::uint32_t key) {
  const auto& index = row_index_[static_cast<std::size_t>(kind)];
  if (key < index.size() && index[key] != 0) return rows_[index[key] - 1];
  return new_row(kind, key);
}

TraceTally::Row& TraceTally::new_row(TraceKind kind, std::uint32_t key) {
  const bool is_rest = key == everything_else || rows_.size() >= most_rows;
  folds_ = folds_ || is_rest;
  auto& index = row_index_[static_cast<std::size_t>(kind)];
  // Keys are dense, so that the table is no larger than what they stand for.
  if (!is_rest && key >= index.size()) index.resize(key + std::size_t{1} + key / 2);
  std::uint32_t& place = is_rest ? rest_row_[static_cast<std::size_t>(kind)] : index[key];
  if (place == 0) {
    Row& row = rows_.emplace_back();
    row.kind = kind;
    row.key = is_rest ? everything_else : key;
    place = static_cast<std::uint32_t>(rows_.size());
  }
  return rows_[place - 1];
}

inline void TraceTally::add_pair(Row& row, const TraceInterval& interval, std::uint64_t nanos) {
  if (row.count == 1 || row.last_waker != interval.waker_stack) {
    if (pairs_.size() >= most_pairs) return;
    row.last_waker = interval.waker_stack;
    row.last_pair = pair_index_->find_or_add(
        pairs_, static_cast<std::uint32_t>(&row - rows_.data()), interval.waker_stack);
  }
  Pair& pair = pairs_[row.last_pair];
  ++pair.count;
  pair.nanos += nanos;
}

inline void TraceTally::add(const TraceInterval& interval) {
  // The runtime's own goroutines are at rest for seconds; that is no news under "chan receive".
  const bool at_rest = interval.system && is_blocking(interval.kind);
  Row& row = row_of(at_rest ? TraceKind::system : interval.kind,
                    by_stack_ ? interval.stack : key_of(interval));
  const std::int64_t duration = interval.duration();
  const auto nanos = static_cast<std::uint64_t>(std::max<std::int64_t>(duration, 0));
  ++row.count;
  row.nanos += nanos;
  row.histogram.add(nanos);
  if (duration > row.longest) {
    row.longest = duration;
    row.longest_at = interval.begin;
    row.longest_goroutine = interval.goroutine;
    row.stack = interval.stack;
  }
  if (by_stack_) add_pair(row, interval, nanos);
}

void TraceTally::add_open(const TraceInterval& interval) {
  if (!is_blocking(interval.kind) || interval.system) return;
  ++open_goroutines_;
  const std::uint64_t key =
      (std::uint64_t{static_cast<std::uint8_t>(interval.kind)} << 32) | interval.stack;
  Open& open = open_[key];
  ++open.count;
  if (interval.from_start) ++open.from_start;
  if (open.count == 1 || interval.duration() > open.longest.duration()) open.longest = interval;
  if (open.goroutines.size() < most_named) open.goroutines.push_back(interval.goroutine);
}

void TraceTally::take(const TraceInterval& interval) {
  if (interval.kind == TraceKind::running || (!all_ && !wanted(interval))) return;
  if (interval.open)
    add_open(interval);
  else
    add(interval);
}

std::string TraceTally::key_text(const Row& row) const {
  if (row.key == everything_else) return "(everything else)";
  const auto own = [](const std::string& text, const char* none) {
    return text.empty() ? std::string(none) : text;
  };
  switch (query_.by) {
    case TraceBy::stack:
    case TraceBy::func:
      return place_of(stack_of(names_, row.key));
    case TraceBy::creator:
      return row.key == 0 ? "(before the trace)" : place_of(stack_of(names_, row.key));
    case TraceBy::start: {
      const auto frames = names_.stack(row.key);
      return frames.empty() ? no_stack_text
                            : model::name_in_traceback(names_.function(frames.back()));
    }
    case TraceBy::task:
      return own(names_.strings[row.key], "(no task)");
    case TraceBy::region:
      return own(names_.strings[row.key], "(no region)");
    case TraceBy::proc:
      return number_of_key_[row.key] == model::no_trace_proc
                 ? "(no P)"
                 : fmt::format("P{}", number_of_key_[row.key]);
    case TraceBy::goroutine:
      return fmt::format("goroutine {}", number_of_key_[row.key]);
  }
  return {};
}

model::TraceRow TraceTally::describe(const Row& row, const std::vector<const Pair*>& pairs) const {
  model::TraceRow told;
  told.key = key_text(row);
  told.stack = stack_of(names_, row.stack);
  told.waits.count = row.count;
  told.waits.total = Nanos{static_cast<std::int64_t>(row.nanos)};
  told.waits.longest = Nanos{std::max<std::int64_t>(row.longest, 0)};
  told.waits.longest_at = row.longest_at;
  told.waits.longest_goroutine = row.longest_goroutine;
  told.waits.histogram.merge(row.histogram);
  for (const Pair* pair : pairs) {
    model::TraceWaker waker;
    waker.stack = stack_of(names_, pair->waker_stack);
    waker.where =
        waker.stack.empty() ? "(the runtime: timers, network, GC)" : place_of(waker.stack);
    waker.count = pair->count;
    waker.total = Nanos{static_cast<std::int64_t>(pair->nanos)};
    told.wakers.push_back(std::move(waker));
  }
  std::ranges::sort(told.wakers, [](const auto& a, const auto& b) { return a.total > b.total; });
  if (told.wakers.size() > most_wakers) told.wakers.resize(most_wakers);
  return told;
}

void TraceTally::add_open_report(model::TraceReport& report) const {
  report.open_goroutines = open_goroutines_;
  for (const auto& [key, open] : open_) {
    if (!is_synchronisation(open.longest.kind)) continue;
    model::OpenWaits waits;
    waits.kind = open.longest.kind;
    waits.count = open.count;
    waits.from_start = open.from_start;
    waits.longest = Nanos{open.longest.duration()};
    waits.goroutines = open.goroutines;
    model::Goroutine& goroutine = waits.exemplar;
    goroutine.id = Goid{open.longest.goroutine};
    goroutine.status = model::Status::waiting;
    goroutine.wait_reason = wait_reason_of(open.longest.kind);
    goroutine.stack = std::make_shared<model::Stack>(stack_of(names_, open.longest.stack));
    const auto creation = stack_of(names_, open.longest.creation_stack);
    if (!creation.empty()) {
      goroutine.created.function = creation.front().function;
      goroutine.created.file = creation.front().file;
      goroutine.created.line = creation.front().line;
    }
    waits.fingerprint = fingerprint(goroutine, {.wait = true, .creator = !creation.empty()});
    report.open.push_back(std::move(waits));
  }
  std::ranges::sort(report.open, [](const model::OpenWaits& a, const model::OpenWaits& b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.longest != b.longest) return a.longest > b.longest;
    return a.fingerprint.key < b.fingerprint.key;
  });
}

std::string wait_reason_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::mutex:
      return "sync.Mutex.Lock";
    case TraceKind::rwmutex:
      return "sync.RWMutex.Lock";
    case TraceKind::wait_group:
      return "sync.WaitGroup.Wait";
    case TraceKind::cond:
      return "sync.Cond.Wait";
    case TraceKind::sync_other:
      return "semacquire";
    case TraceKind::forever:
      return "";  // a nil channel or an empty select: the stack tells which
    default:
      return std::string(to_string(kind));
  }
}

model::TraceReport TraceTally::finish() {
  model::TraceReport report;
  report.by = query_.by;
  std::vector<std::vector<const Pair*>> pairs(rows_.size());
  for (const Pair& pair : pairs_) pairs[pair.row].push_back(&pair);
  std::array<model::TraceSection, model::trace_kind_count> sections;
  std::array<std::unordered_map<std::string, std::size_t>, model::trace_kind_count> known;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto number = static_cast<std::size_t>(section_of(rows_[i].kind));
    model::TraceSection& section = sections[number];
    model::TraceRow row = describe(rows_[i], pairs[i]);
    merge(section.waits, row.waits);
    if (is_scheduling(rows_[i].kind)) {
      const auto part = std::ranges::find(section.parts, rows_[i].kind,
                                          &std::pair<TraceKind, std::uint64_t>::first);
      if (part == section.parts.end())
        section.parts.emplace_back(rows_[i].kind, row.waits.count);
      else
        part->second += row.waits.count;
    }
    // By function and the like, several stacks have the same key.
    std::string key = row.key;
    if (query_.by == TraceBy::stack) key += fmt::format("\n{}", rows_[i].key);
    const auto [at, is_new] = known[number].emplace(std::move(key), section.rows.size());
    if (is_new)
      section.rows.push_back(std::move(row));
    else
      merge_rows(section.rows[at->second], std::move(row));
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].waits.count == 0) continue;
    sections[i].kind = static_cast<TraceKind>(i);
    sections[i].scheduling = is_scheduling(sections[i].kind);
    sort_by_time(sections[i].rows);
    std::ranges::sort(sections[i].parts);
    report.sections.push_back(std::move(sections[i]));
  }
  std::ranges::stable_sort(report.sections, [](const auto& a, const auto& b) {
    if (a.scheduling != b.scheduling) return a.scheduling;
    return a.waits.total > b.waits.total;
  });
  add_open_report(report);
  if (folds_)
    report.notes.add(
        Severity::loss,
        fmt::format("there are more than {} rows; the rest is one of each kind", most_rows), {},
        "-focus narrows it down");
  return report;
}

void TraceTally::merge_rows(model::TraceRow& to, model::TraceRow&& from) {
  if (from.waits.longest > to.waits.longest) to.stack = std::move(from.stack);
  merge(to.waits, from.waits);
  for (model::TraceWaker& waker : from.wakers) to.wakers.push_back(std::move(waker));
  std::ranges::sort(to.wakers, [](const auto& a, const auto& b) { return a.total > b.total; });
  if (to.wakers.size() > most_wakers) to.wakers.resize(most_wakers);
}

}  // namespace weir::analysis
