#pragma once
// `weir history` for people, and as JSON (schema "weir.history/1", docs/history.md).
#include <cstdint>
#include <string>
#include <vector>

#include "weir/model/series.h"

namespace weir::report {

/// A series with what is stored of it.
struct StoredSeries {
  model::Series series;
  std::vector<model::Look> looks;          ///< in the order in which they were taken
  std::vector<model::RaisedAlarm> alarms;  ///< one for each rule
};

/// One line for each series. `now` tells which of them can still be resumed.
std::string render_series_list(const std::vector<StoredSeries>& all, Nanos now, bool colour);
/// One series, with each look and alarm.
std::string render_series(const StoredSeries& one, Nanos now, bool colour);

/// One object and a line break: all series; of one that is `detailed`, its looks and alarms too.
std::string render_history_json(const std::vector<StoredSeries>& all, Nanos now, bool detailed);

/// "2026-11-24 22:20:01", in the local time zone.
std::string date_text(Nanos at);

}  // namespace weir::report
