#pragma once
// The report of `weir schedtrace`.
#include <string>

#include "weir/model/schedtrace.h"

namespace weir::report {

std::string render_schedule(const model::SchedReport& report, bool colour);
/// Schema weir.schedtrace/1, docs/json.md: figures, verdicts and all samples.
std::string render_schedule_json(const model::SchedReport& report);

}  // namespace weir::report
