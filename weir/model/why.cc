#include "weir/model/why.h"

namespace weir::model {

std::string_view to_string(DeadlockKind kind) {
  switch (kind) {
    case DeadlockKind::none:
      return "none";
    case DeadlockKind::partial:
      return "partial";
    case DeadlockKind::global:
      return "global";
  }
  return "none";
}

std::string_view to_string(OutsideKind kind) {
  switch (kind) {
    case OutsideKind::variable:
      return "variable";
    case OutsideKind::timer:
      return "timer";
    case OutsideKind::poller:
      return "poller";
  }
  return "variable";
}

std::string_view to_string(SilenceReason reason) {
  switch (reason) {
    case SilenceReason::runs:
      return "runs";
    case SilenceReason::system_call:
      return "system_call";
    case SilenceReason::poller:
      return "poller";
    case SilenceReason::timer:
      return "timer";
    case SilenceReason::signals:
      return "signals";
    case SilenceReason::cgo:
      return "cgo";
    case SilenceReason::unknown:
      break;
  }
  return "unknown";
}

}  // namespace weir::model
