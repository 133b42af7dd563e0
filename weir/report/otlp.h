#pragma once
// What `weir watch` knows, as OTLP (opentelemetry-proto 1.x) in its JSON encoding: 64-bit numbers
// are strings, enumerations are numbers, names are in camel case.
#include <string>
#include <string_view>

#include "weir/model/watch.h"

namespace weir::report {

/// An ExportMetricsServiceRequest. Empty without a look.
std::string render_otlp_metrics(const model::WatchStatus& status, std::string_view weir_version);

/// An ExportLogsServiceRequest: the alarm as one record of severity WARN, whose body is `text`.
std::string render_otlp_log(const model::WatchAlarm& alarm, std::string_view text,
                            std::string_view weir_version);

/// What the answer to one of these refuses ("3 refused: too old"); empty if nothing.
std::string otlp_refusal(std::string_view answer);

}  // namespace weir::report
