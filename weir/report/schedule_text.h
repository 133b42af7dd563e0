#pragma once
// Schedules and explorations for people.
#include <string>

#include "weir/model/explore.h"

namespace weir::report {

struct ScheduleTextOptions {
  std::size_t points = 40;  ///< of the timeline at most, the last ones; 0 = all
  bool colour = false;
  std::string root;  ///< files below this folder are named relative to it; may be empty
};

/// Who did what, in order, with a mark where the order is not Go's own.
std::string render_timeline(const model::Schedule& schedule, const ScheduleTextOptions& options);

/// Who waits for what, and who holds it.
std::string render_schedule_end(const model::ScheduleEnd& end, const ScheduleTextOptions& options);

/// What was tried and what was found, the timeline included.
std::string render_exploration(const model::Exploration& exploration,
                               const ScheduleTextOptions& options);

/// Schema "weir.explore/1", docs/json.md.
std::string render_explorations_json(const std::vector<model::Exploration>& explorations);

}  // namespace weir::report
