#include "weir/analysis/watch_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "weir/analysis/fingerprint.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Frame;
using model::Goroutine;
using model::Stack;
using model::TallyEntry;
using model::WatchChange;
using model::WatchPoint;

namespace {

const Stack& stack_of(const Goroutine& goroutine) {
  static const Stack none;
  return goroutine.stack ? *goroutine.stack : none;
}

bool is_own(std::string_view function, const std::vector<std::string>& packages) {
  if (packages.empty()) return model::is_user_function(function);
  const std::string package = model::package_of(function);
  return std::any_of(packages.begin(), packages.end(), [&](const std::string& path) {
    return package == path || (package.starts_with(path) && package[path.size()] == '/');
  });
}

bool is_own(const Goroutine& goroutine, const std::vector<std::string>& packages) {
  const Stack& stack = stack_of(goroutine);
  return is_own(goroutine.created.function, packages) ||
         std::any_of(stack.begin(), stack.end(), [&](const Frame& frame) {
           return !frame.wrapper && is_own(frame.function, packages);
         });
}

bool serves_http(const Goroutine& goroutine) {
  const Stack& stack = stack_of(goroutine);
  return std::any_of(stack.begin(), stack.end(),
                     [](const Frame& frame) { return frame.function == "net/http.(*conn).serve"; });
}

/// The innermost frame of the user's, else the innermost that a traceback shows.
const Frame* place_of(const Stack& stack) {
  for (const Frame& frame : stack)
    if (is_user_frame(frame)) return &frame;
  for (const Frame& frame : stack)
    if (!frame.wrapper && model::is_shown(frame.function, false)) return &frame;
  return nullptr;
}

void add_line(WatchPoint& point, const TallyEntry& entry, const std::string& fingerprint) {
  const Frame* frame = place_of(stack_of(entry.exemplar));
  if (frame == nullptr || frame->line <= 0) return;
  model::WatchLine& line = point.lines[fmt::format("{}:{}", frame->file, frame->line)];
  line.place = {frame->function, frame->file, frame->line};
  line.count += entry.count;
  if (entry.count <= line.largest) return;
  line.largest = entry.count;
  line.fingerprint = fingerprint;
}

std::int64_t growth(const WatchChange& change) {
  return static_cast<std::int64_t>(change.now) - static_cast<std::int64_t>(change.first);
}

}  // namespace

WatchPoint watch_point(const model::Tally& tally, Nanos at,
                       const std::vector<std::string>& own_packages) {
  WatchPoint point;
  point.at = at;
  const FingerprintParts parts{tally.knows.wait, tally.knows.creator};
  for (const TallyEntry& entry : tally.entries) {
    const model::Fingerprint print = fingerprint(entry.exemplar, parts);
    point.total += entry.count;
    model::WatchGroup& group = point.groups[print.id];
    if (serves_http(entry.exemplar)) {
      point.connections += entry.count;
      group.serves = true;
    }
    group.key = print.key;
    group.count += entry.count;
    group.own = group.own || is_own(entry.exemplar, own_packages);
    if (!tally.knows.wait || !wait_kind(entry.exemplar)) continue;
    point.parked += entry.count;
    add_line(point, entry, print.id);
  }
  return point;
}

std::vector<WatchChange> changes(const WatchPoint& first, const WatchPoint& now) {
  std::vector<WatchChange> all;
  for (const auto& [id, group] : now.groups) {
    const auto before = first.groups.find(id);
    const std::uint64_t count = before == first.groups.end() ? 0 : before->second.count;
    if (count != group.count) all.push_back({{id, group.key}, count, group.count});
  }
  for (const auto& [id, group] : first.groups)
    if (!now.groups.contains(id)) all.push_back({{id, group.key}, group.count, 0});
  std::sort(all.begin(), all.end(), [](const WatchChange& a, const WatchChange& b) {
    const std::int64_t left = growth(a), right = growth(b);
    if ((left > 0) != (right > 0)) return left > 0;
    if (std::abs(left) != std::abs(right)) return std::abs(left) > std::abs(right);
    return a.fingerprint.key < b.fingerprint.key;
  });
  return all;
}

std::string restart_sign(const model::Source& before, std::uint64_t total_before,
                         const model::Source& now, std::uint64_t total_now, bool missed_between) {
  if (before.pid != 0 && now.pid != 0 && before.pid != now.pid)
    return fmt::format("process {} is now {}", before.pid, now.pid);
  if (!before.build_id.empty() && !now.build_id.empty() && before.build_id != now.build_id)
    return "it is another build of the program";
  if (missed_between && total_now < total_before / 2)
    return fmt::format("it was not to be seen, and came back with {} of {} goroutines", total_now,
                       total_before);
  return {};
}

}  // namespace weir::analysis
