#include "weir/analysis/runtime_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::analysis {

using model::DeadlockKind;
using model::RuntimeCheck;
using model::SilenceReason;

namespace {

/// What keeps checkdead silent while a goroutine can go on by itself.
SilenceReason reason_of(Power power) {
  switch (power) {
    case Power::sleep:
    case Power::timer:
      return SilenceReason::timer;
    case Power::io:
      return SilenceReason::poller;
    case Power::system_call:
      return SilenceReason::system_call;
    case Power::signal:
      return SilenceReason::signals;
    case Power::none:
    case Power::runs:
    case Power::woken:
    case Power::ran:
      break;
  }
  return SilenceReason::runs;
}

void add(RuntimeCheck& check, SilenceReason reason) {
  if (std::find(check.silent.begin(), check.silent.end(), reason) == check.silent.end())
    check.silent.push_back(reason);
}

std::string words(SilenceReason reason, const model::Snapshot& snapshot, Goid listener) {
  switch (reason) {
    case SilenceReason::runs:
      return "a goroutine can run";
    case SilenceReason::system_call:
      return "a thread is in a system call";
    case SilenceReason::poller:
      return "a thread waits in the network poller for a file descriptor";
    case SilenceReason::timer: {
      const std::uint64_t pending =
          snapshot.surroundings ? snapshot.surroundings->pending_timers : 0;
      if (pending == 0) return "a timer is pending";
      return pending == 1 ? "1 timer is pending" : fmt::format("{} timers are pending", pending);
    }
    case SilenceReason::signals:
      return fmt::format("os/signal listens (goroutine {}), and a signal might wake one",
                         listener.value);
    case SilenceReason::cgo:
      return "cgo is linked in, which keeps a thread that is never idle";
    case SilenceReason::unknown:
      return "of something that weir did not find: a timer, cgo, or a thread that is not idle yet";
  }
  return {};
}

}  // namespace

RuntimeCheck explain_runtime_check(const model::Snapshot& snapshot, const model::WhyReport& report,
                                   std::span<const Power> powers, Goid listener) {
  RuntimeCheck check;
  if (report.deadlock == DeadlockKind::none) return check;
  for (const Power power : powers) add(check, reason_of(power));
  if (listener.value != 0) add(check, SilenceReason::signals);
  if (snapshot.surroundings && snapshot.surroundings->cgo) add(check, SilenceReason::cgo);
  if (snapshot.surroundings && snapshot.surroundings->pending_timers > 0)
    add(check, SilenceReason::timer);
  if (check.silent.empty()) check.silent.push_back(SilenceReason::unknown);
  check.text =
      "Go's own check (checkdead, src/runtime/proc.go) ends a program only when all its threads "
      "are "
      "idle, no goroutine can run and no timer is pending; ";
  if (!report.can_go_on.empty()) {
    const std::uint64_t others = report.can_go_on.size() + report.more_can_go_on - 1;
    check.text += fmt::format("here {}", report.can_go_on.front());
    if (others > 0) check.text += fmt::format(", and {} more can go on", others);
    return check;
  }
  check.text += "it stays silent here because ";
  for (std::size_t i = 0; i < check.silent.size(); ++i) {
    if (i > 0) check.text += i + 1 == check.silent.size() ? ", and " : ", ";
    check.text += words(check.silent[i], snapshot, listener);
  }
  return check;
}

}  // namespace weir::analysis
