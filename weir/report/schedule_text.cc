#include "weir/report/schedule_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

using model::Exploration;
using model::ExploreFinding;
using model::Schedule;
using model::ScheduleStep;

constexpr std::string_view resume = "resume";
constexpr std::string_view select_case = "select case";
constexpr std::size_t least_folded = 3;

std::string paint(bool colour, const char* code, std::string text) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string place_of(const ScheduleStep& step, const std::string& root) {
  if (step.where.file.empty()) return {};
  return fmt::format("  {}:{}", printable(below(step.where.file, root)), step.where.line);
}

std::string line_of(const ScheduleStep& step, std::size_t number,
                    const ScheduleTextOptions& options) {
  std::string what;
  if (step.operation == resume) {
    what = step.choice == 0
               ? "goes on"
               : fmt::format("would go on; goroutine {} does instead", step.runs.value);
  } else {
    what = step.operation == select_case ? "select takes the case of" : printable(step.operation);
    if (step.object != 0) what += fmt::format(" #{}", step.object);
    what += place_of(step, options.root);
    if (step.choice != 0 && step.operation != select_case)
      what = step.runs == step.goroutine
                 ? fmt::format("before {}: a timer fires", what)
                 : fmt::format("before {}: goroutine {} goes on instead", what, step.runs.value);
  }
  const std::string line = fmt::format("{} {:>4}  goroutine {:<4} {}", step.choice == 0 ? " " : ">",
                                       number, step.goroutine.value, what);
  return step.choice == 0 ? line : paint(options.colour, "1;33", line);
}

void add_leak(std::string& out, const model::ExploreLeak& leak) {
  out += fmt::format("  fingerprint {}: {}\n    goroutine{}", printable(leak.fingerprint.id),
                     printable(leak.fingerprint.key), leak.goroutines.size() == 1 ? " " : "s ");
  for (std::size_t i = 0; i < leak.goroutines.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", leak.goroutines[i].value);
  const bool proved = leak.certainty == model::Certainty::proved;
  out += fmt::format(": {}{}{}", proved ? "proved to be leaked" : "likely leaked, not proved",
                     leak.because.empty() ? "" : ": ", printable(leak.because));
  for (std::size_t i = 0; i < leak.path.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? ": " : " → ", printable(leak.path[i]));
  out += '\n';
}

void add_finding(std::string& out, const Exploration& exploration, const ExploreFinding& finding,
                 const ScheduleTextOptions& options) {
  const Schedule& schedule = finding.schedule;
  out += paint(options.colour, "1;31",
               fmt::format("{}: {}", printable(exploration.test), printable(schedule.outcome)));
  if (!schedule.message.empty()) out += fmt::format(": {}", printable(schedule.message));
  out += fmt::format(
      "\n  found in schedule {} ({}, seed {}); replayed {} of {}\n  {} of {} points are not as Go "
      "would have them",
      finding.found_in, printable(schedule.strategy), schedule.seed, finding.confirmed,
      finding.replayed, finding.deviations, schedule.steps.size());
  if (finding.deviations_before != finding.deviations)
    out += fmt::format(" (before shrinking: {})", finding.deviations_before);
  out += '\n';
  if (!finding.file.empty())
    out += fmt::format("  written to {}; `weir replay {}` runs it again\n", printable(finding.file),
                       printable(finding.file));
  if (!finding.token.empty()) out += fmt::format("  token: {}\n", printable(finding.token));
  for (const model::ExploreLeak& leak : finding.leaks) add_leak(out, leak);
  out += '\n' + render_timeline(schedule, options);
  if (finding.end && schedule.outcome != "failed")
    out += '\n' + render_schedule_end(*finding.end, options);
}

/// How many points from `first` on are the standard library's own, and as Go has them.
std::size_t count_library_points(const Schedule& schedule, std::size_t first) {
  std::size_t at = first;
  while (at < schedule.steps.size() && schedule.steps[at].choice == 0 &&
         model::is_standard_package(model::package_of(schedule.steps[at].where.function)))
    ++at;
  return at - first;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void add_effort(std::string& out, const Exploration& exploration) {
  std::string tried;
  for (const auto& [strategy, count] : exploration.strategies)
    tried += fmt::format("{}{} by {}", tried.empty() ? "" : "; ", count, printable(strategy));
  out += fmt::format("  tried {}, {} of them different, with {} of operations{}; seed {}\n",
                     counted(exploration.schedules, "schedule"), exploration.distinct,
                     counted(exploration.orders, "order"), tried.empty() ? "" : " (" + tried + ")",
                     exploration.seed);
  if (exploration.places != 0)
    out += fmt::format("  another goroutine was let in at {} of {} that were reached\n",
                       exploration.switched, counted(exploration.places, "place"));
  if (!exploration.unreduced.empty())
    out += fmt::format("  dpor does not know all orders of operations: {}\n",
                       printable(exploration.unreduced));
  if (exploration.clamped != 0) out += "  the test asks for GOMAXPROCS above 1; it ran with 1\n";
  if (!exploration.observations.empty())
    out += fmt::format("  the test uses {}, which weir does not control\n",
                       printable(joined(exploration.observations)));
  for (const auto& [reason, count] : exploration.unknown)
    out +=
        fmt::format("  nothing can be said of {}: {}\n", counted(count, "run"), printable(reason));
  if (exploration.unconfirmed != 0)
    out += fmt::format("  {} did not replay, and {} no finding therefore\n",
                       counted(exploration.unconfirmed, "failure"),
                       exploration.unconfirmed == 1 ? "is" : "are");
}

void add_stack(std::string& out, const std::vector<model::CodePlace>& stack,
               const ScheduleTextOptions& options) {
  for (const model::CodePlace& place : stack)
    out += fmt::format("    {}  {}:{}\n", printable(place.function),
                       printable(below(place.file, options.root)), place.line);
  if (stack.empty()) out += "    the race detector no longer knew the stack\n";
}

std::string render_race(const std::vector<model::RaceAccess>& race,
                        const ScheduleTextOptions& options) {
  std::string out =
      "the race, as Go's detector tells it (its numbers of goroutines are not those above)\n";
  for (const model::RaceAccess& access : race) {
    out += fmt::format("  {} by {}\n", printable(access.what), printable(access.by));
    add_stack(out, access.stack, options);
    if (access.created.empty()) continue;
    out += "   started at\n";
    add_stack(out, access.created, options);
  }
  return out;
}

std::string verdict_of(const Exploration& exploration) {
  if (exploration.control == "not controlled")
    return fmt::format("not controlled: {}", printable(exploration.why));
  std::string text = "no finding: ";
  if (exploration.complete)
    text += fmt::format("every schedule was tried ({})", exploration.exhausted_schedules);
  else if (exploration.exhausted_orders)
    text += fmt::format("exhausted: all {} of operations were tried ({})",
                        counted(*exploration.exhausted_orders, "order"),
                        counted(exploration.exhausted_orders_schedules, "schedule"));
  else if (exploration.exhausted)
    text +=
        fmt::format("exhausted at delay bound {} ({}), then the budget was spent",
                    *exploration.exhausted, counted(exploration.exhausted_schedules, "schedule"));
  else
    text += "the budget was spent";
  if (exploration.stopped) text += " (interrupted)";
  return text;
}

}  // namespace

std::string render_schedule_end(const model::ScheduleEnd& end, const ScheduleTextOptions& options) {
  if (!end.race.empty()) return render_race(end.race, options);
  std::string out = "at the end\n";
  for (const model::EndGoroutine& one : end.goroutines) {
    out += fmt::format("  goroutine {} waits: {}", one.id.value, printable(one.waits));
    for (std::size_t i = 0; i < one.waits_for.size(); ++i)
      out += fmt::format("{} goroutine {}", i == 0 ? ", for" : " and", one.waits_for[i].value);
    if (!one.where.file.empty())
      out += fmt::format("  {}:{}", printable(below(one.where.file, options.root)), one.where.line);
    out += '\n';
  }
  if (end.cycle.empty()) return out;
  std::string cycle = "  cycle:";
  for (const Goid id : end.cycle) cycle += fmt::format(" goroutine {} waits for", id.value);
  cycle += fmt::format(" goroutine {}", end.cycle.front().value);
  return out + paint(options.colour, "1;31", cycle) + '\n';
}

std::string render_timeline(const Schedule& schedule, const ScheduleTextOptions& options) {
  const std::size_t all = schedule.steps.size();
  const std::size_t shown = options.points == 0 ? all : std::min(options.points, all);
  std::string out =
      "timeline (> marks what Go would not have done by itself; #n is one lock, channel …)\n";
  if (shown < all) out += fmt::format("   … {} before, not shown\n", counted(all - shown, "point"));
  for (std::size_t i = all - shown; i < all;) {
    const std::size_t folded = count_library_points(schedule, i);
    if (folded >= least_folded) {
      out += fmt::format("        … {} inside the standard library\n", counted(folded, "point"));
      i += folded;
      continue;
    }
    out += line_of(schedule.steps[i], i + 1, options) + '\n';
    ++i;
  }
  out += fmt::format("        {}", printable(schedule.outcome));
  if (!schedule.message.empty()) out += ": " + printable(schedule.message);
  return out + '\n';
}

std::string render_exploration(const Exploration& exploration, const ScheduleTextOptions& options) {
  std::string out;
  if (exploration.finding) {
    add_finding(out, exploration, *exploration.finding, options);
    out += '\n';
  } else {
    out += fmt::format("{}: {}\n", printable(exploration.test), verdict_of(exploration));
  }
  add_effort(out, exploration);
  return out;
}

}  // namespace weir::report
