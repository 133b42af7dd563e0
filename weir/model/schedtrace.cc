#include "weir/model/schedtrace.h"

namespace weir::model {

const char* to_string(SchedVerdictKind kind) {
  constexpr const char* names[] = {"starved", "unserved", "frozen",   "stalled",
                                   "idle",    "threads",  "imbalance"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace weir::model
