#pragma once
// The goroutines of a program at the moment of a verdict on its scheduler.
#include <string>

#include "weir/model/schedtrace.h"
#include "weir/model/top.h"

namespace weir::model {

struct SchedLook {
  SchedVerdictKind verdict = SchedVerdictKind::stalled;  ///< what was just found
  Nanos at;                                              ///< of the sample, as SchedSample::at
  TopReport groups;                                      ///< by fingerprint
  std::string failure;                                   ///< not empty: the look failed, and why
};

}  // namespace weir::model
