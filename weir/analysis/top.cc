#include "weir/analysis/top.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "weir/analysis/fingerprint.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Frame;
using model::Goroutine;
using model::Stack;
using model::TallyEntry;
using model::TopBy;
using model::TopReport;
using model::TopRow;

namespace {

const Stack& stack_of(const Goroutine& goroutine) {
  static const Stack none;
  return goroutine.stack ? *goroutine.stack : none;
}

/// The innermost frame of the user's, else the innermost that a traceback shows.
const Frame* find_place(const Stack& stack) {
  for (const Frame& frame : stack)
    if (is_user_frame(frame)) return &frame;
  for (const Frame& frame : stack)
    if (model::is_shown(frame.function, false)) return &frame;
  return stack.empty() ? nullptr : &stack.front();
}

std::string place_function(const Goroutine& goroutine) {
  const Frame* frame = find_place(stack_of(goroutine));
  return frame == nullptr ? "(no stack)" : model::without_closures(frame->function);
}

std::string stack_text(const Stack& stack) {
  std::string text;
  for (const Frame& frame : stack) {
    if (frame.wrapper || !model::is_shown(frame.function, text.empty())) continue;
    text += fmt::format("{}{}:{}", text.empty() ? "" : " < ",
                        model::name_in_traceback(frame.function), frame.line);
  }
  return text.empty() ? "(no stack)" : text;
}

std::string label_text(const Goroutine& goroutine, const std::string& key) {
  for (const auto& [name, value] : goroutine.labels)
    if (name == key) return value;
  return "(none)";
}

std::string key_of(const Goroutine& goroutine, const TopQuery& query,
                   const model::TallyKnows& knows) {
  switch (query.by) {
    case TopBy::state:
      return state_word(goroutine, knows);
    case TopBy::function:
      return place_function(goroutine);
    case TopBy::created:
      return goroutine.created.function.empty()
                 ? "(unknown)"
                 : model::without_closures(goroutine.created.function);
    case TopBy::package:
      return model::package_of(place_function(goroutine));
    case TopBy::stack:
      return stack_text(stack_of(goroutine));
    case TopBy::label:
      return label_text(goroutine, query.label);
    case TopBy::fingerprint:
      break;
  }
  return fingerprint(goroutine, {knows.wait, knows.creator}).key;
}

bool mentions(const Goroutine& goroutine, const Pattern& pattern) {
  const Stack& stack = stack_of(goroutine);
  return std::any_of(stack.begin(), stack.end(),
                     [&](const Frame& frame) {
                       return pattern.matches(frame.function) || pattern.matches(frame.file);
                     }) ||
         pattern.matches(goroutine.created.function) || pattern.matches(goroutine.created.file);
}

bool passes(const TallyEntry& entry, const TopFilter& filter, const model::TallyKnows& knows) {
  const Goroutine& goroutine = entry.exemplar;
  if (filter.state && !filter.state->matches(state_word(goroutine, knows))) return false;
  if (filter.focus && !mentions(goroutine, *filter.focus)) return false;
  if (filter.ignore && mentions(goroutine, *filter.ignore)) return false;
  if (filter.min_wait && (!entry.longest_wait || *entry.longest_wait < *filter.min_wait))
    return false;
  return std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& wanted) {
    return std::find(goroutine.labels.begin(), goroutine.labels.end(), wanted) !=
           goroutine.labels.end();
  });
}

/// A row with the size of the entry that its exemplar came from.
struct Making {
  TopRow row;
  std::uint64_t exemplar_count = 0;
};

void add(Making& making, const TallyEntry& entry) {
  TopRow& row = making.row;
  row.count += entry.count;
  ++row.kinds;
  const bool longer =
      entry.longest_wait && (!row.longest_wait || *entry.longest_wait > *row.longest_wait);
  if (longer) row.longest_wait = entry.longest_wait;
  const bool larger = !row.longest_wait && entry.count > making.exemplar_count;
  if (row.kinds > 1 && !longer && !larger) return;
  row.exemplar = entry.exemplar;
  making.exemplar_count = entry.count;
}

}  // namespace

std::string state_word(const Goroutine& goroutine, const model::TallyKnows& knows) {
  if (!knows.wait) return "(not told)";
  if (!goroutine.wait_reason.empty()) return goroutine.wait_reason;
  if (const auto kind = wait_kind(goroutine)) return std::string(wait_word(kind));
  return goroutine.status == model::Status::unknown ? "running or in a system call"
                                                    : std::string(to_string(goroutine.status));
}

TopReport top(const model::Tally& tally, const TopQuery& query) {
  TopReport report;
  report.source = tally.source;
  report.knows = tally.knows;
  report.by = query.by;
  report.label = query.label;
  report.total = tally.total();
  report.partial = tally.partial;
  report.notes = tally.notes;
  std::unordered_map<std::string, std::size_t> places;
  std::vector<Making> rows;
  for (const TallyEntry& entry : tally.entries) {
    if (!passes(entry, query.filter, tally.knows)) continue;
    report.chosen += entry.count;
    if (tally.knows.wait && wait_kind(entry.exemplar)) report.waiting += entry.count;
    std::string key = key_of(entry.exemplar, query, tally.knows);
    const auto [place, is_new] = places.try_emplace(key, rows.size());
    if (is_new) {
      rows.emplace_back();
      if (query.by == TopBy::fingerprint) rows.back().row.id = fingerprint_id(key);
      rows.back().row.key = std::move(key);
    }
    add(rows[place->second], entry);
  }
  for (Making& making : rows) report.rows.push_back(std::move(making.row));
  std::sort(report.rows.begin(), report.rows.end(), [](const TopRow& a, const TopRow& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  });
  return report;
}

}  // namespace weir::analysis
