#include "weir/analysis/own_power.h"

#include <algorithm>

#include "weir/analysis/fingerprint.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::ChannelCase;
using model::Goroutine;
using model::WaitKind;

Power power_of(const Goroutine& goroutine, bool signals) {
  if (goroutine.ran_since) return Power::ran;
  const std::optional<WaitKind> kind = wait_kind(goroutine);
  if (!kind) return model::state_of(goroutine) == "syscall" ? Power::system_call : Power::runs;
  if (kind == WaitKind::sleep) return Power::sleep;
  if (kind == WaitKind::io) return Power::io;
  if (!goroutine.blocked_on) return Power::none;
  const auto& cases = goroutine.blocked_on->cases;
  const bool timed = std::any_of(cases.begin(), cases.end(), [](const ChannelCase& one) {
    return one.channel.timer || one.channel.element_type == "time.Time";
  });
  if (timed) return Power::timer;
  const bool hears = signals && std::any_of(cases.begin(), cases.end(), [](const ChannelCase& one) {
                       return one.channel.element_type == "os.Signal";
                     });
  return hears ? Power::signal : Power::none;
}

std::string words_of(Power power, const Goroutine& goroutine) {
  switch (power) {
    case Power::none:
      return {};
    case Power::runs:
      return "is " + model::state_of(goroutine);
    case Power::system_call:
      return "is in a system call";
    case Power::sleep:
      return "sleeps";
    case Power::io:
      return "waits for IO";
    case Power::timer:
      return "waits for a timer";
    case Power::signal:
      return "waits for a signal";
    case Power::woken:
      return "is being woken";
    case Power::ran:
      return "has run since";
  }
  return {};
}

model::CodePlace user_place(const Goroutine& goroutine) {
  model::CodePlace first;
  if (!goroutine.stack) return first;
  for (const model::Frame& frame : *goroutine.stack) {
    const std::string package = model::package_of(frame.function);
    if (package.empty()) continue;
    const bool user = !model::is_standard_package(package);
    if (!user && (!first.function.empty() || !model::is_shown(frame.function, true))) continue;
    first = {model::name_in_traceback(frame.function), frame.file, frame.line};
    if (user) break;
  }
  return first;
}

}  // namespace weir::analysis
