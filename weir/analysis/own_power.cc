#include "weir/analysis/own_power.h"

#include "weir/analysis/fingerprint.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::ChannelCase;
using model::Goroutine;
using model::WaitKind;

std::string own_power(const Goroutine& goroutine) {
  const std::optional<WaitKind> kind = wait_kind(goroutine);
  if (!kind) {
    const std::string state = model::state_of(goroutine);
    return state == "syscall" ? "is in a system call" : "is " + state;
  }
  if (kind == WaitKind::sleep) return "sleeps";
  if (kind == WaitKind::io) return "waits for IO";
  if (!goroutine.blocked_on) return {};
  for (const ChannelCase& one : goroutine.blocked_on->cases) {
    if (one.channel.timer || one.channel.element_type == "time.Time") return "waits for a timer";
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
