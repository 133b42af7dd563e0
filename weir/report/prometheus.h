#pragma once
// What `weir watch` knows, in the text format of Prometheus.
#include <string>
#include <vector>

#include "weir/model/watch.h"

namespace weir::report {

/// "text/plain; version=0.0.4; charset=utf-8".
extern const char* const prometheus_content_type;

/// The text exposition format, version 0.0.4. Names and labels: docs/watch.md.
std::string render_prometheus(const std::vector<model::WatchStatus>& targets);

}  // namespace weir::report
