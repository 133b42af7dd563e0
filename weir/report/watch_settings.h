#pragma once
// The section `watch:` of .weir.yaml.
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/watch.h"

namespace weir::report {

struct WatchSettings {
  std::optional<Nanos> every;
  std::optional<Nanos> lasts;
  std::optional<std::string> database;
  std::string webhook;  ///< URLs and an address; empty: none
  std::string otlp;
  std::string metrics;
  model::WatchRules rules;  ///< the defaults, but for what the section says
};

/// Reads .weir.yaml; other sections are parse_settings's. `path` is for messages. Errors: usage.
Result<WatchSettings> parse_watch_settings(std::string_view yaml, const std::string& path);

}  // namespace weir::report
