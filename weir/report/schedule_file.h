#pragma once
// The schedule file: JSON lines, schema "weir.schedule/1" (docs/schedule-format.md).
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/schedule.h"

namespace weir::report {

std::string render_schedule_file(const model::Schedule& schedule);

/// `path` is for messages; may be empty. Errors: truncated (no last line), invalid (with the line),
/// unsupported (another schema), limit. Unknown members are skipped.
Result<model::Schedule> parse_schedule_file(std::string_view text, const std::string& path = {});

}  // namespace weir::report
