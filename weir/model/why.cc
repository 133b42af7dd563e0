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

}  // namespace weir::model
