#pragma once
// What `weir watch` says, one event at a time: for people, and as JSON lines (schema
// "weir.watch/1", docs/watch.md).
#include <string>

#include "weir/model/watch.h"

namespace weir::report {

struct WatchTextOptions {
  bool colour = false;
  std::string root;     ///< files below this folder are named relative to it; may be empty
  std::size_t top = 3;  ///< groups named in one line
};

/// "21:40:05", in the local time zone.
std::string clock_text(Nanos at);

std::string render_look(const model::WatchLook& look, const WatchTextOptions& options);
std::string render_alarm(const model::WatchAlarm& alarm, const WatchTextOptions& options);
std::string render_summary(const model::WatchSummary& summary, const WatchTextOptions& options);

/// One object and a line break.
std::string render_look_json(const model::WatchLook& look);
std::string render_alarm_json(const model::WatchAlarm& alarm);
std::string render_summary_json(const model::WatchSummary& summary);

}  // namespace weir::report
