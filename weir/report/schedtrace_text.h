#pragma once
// The report of `weir schedtrace`.
#include <string>
#include <vector>

#include "weir/model/sched_look.h"
#include "weir/report/top_text.h"

namespace weir::report {

std::string render_schedule(const model::SchedReport& report,
                            const std::vector<model::SchedLook>& looks, const TopOptions& options);
/// Schema weir.schedtrace/1, docs/json.md: figures, verdicts and all samples.
std::string render_schedule_json(const model::SchedReport& report,
                                 const std::vector<model::SchedLook>& looks);

/// The scheduler as it is, in a few lines of at most `columns` characters. The report is of the
/// last samples; its last one is now.
std::vector<std::string> render_schedule_now(const model::SchedReport& report, std::size_t columns,
                                             bool colour);
/// The same in one line, for what is no terminal.
std::string render_schedule_line(const model::SchedReport& report, std::size_t columns);

}  // namespace weir::report
