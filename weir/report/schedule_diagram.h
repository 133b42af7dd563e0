#pragma once
// A schedule as a sequence diagram: a line for each goroutine, time downwards.
#include <functional>
#include <optional>
#include <string>

#include "weir/model/schedule.h"

namespace weir::report {

struct DiagramOptions {
  std::size_t points = 200;  ///< the last ones at most; 0 = all
  std::string root;          ///< files below this folder are named relative to it; may be empty
  /// The text of a source line; "" where it is not known. May be null.
  std::function<std::string(const model::CodePlace&)> source;
};

/// SVG 1.1, one document that needs nothing else. `end` may be missing.
std::string render_schedule_svg(const model::Schedule& schedule,
                                const std::optional<model::ScheduleEnd>& end,
                                const DiagramOptions& options);

/// The same in an HTML page.
std::string render_schedule_html(const model::Schedule& schedule,
                                 const std::optional<model::ScheduleEnd>& end,
                                 const DiagramOptions& options);

}  // namespace weir::report
