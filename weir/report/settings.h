#pragma once
// What the user asked of the gate, from .weir.yaml, the environment and flags; later ones win, and
// ignore lists add up.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::report {

/// One source's wishes; what it does not mention is empty.
struct GateSettings {
  std::optional<bool> off;
  std::optional<Nanos> settle;
  std::optional<Nanos> stuck_after;
  std::optional<Nanos> max_stop;
  std::vector<std::string> ignore_top;
  std::vector<std::string> ignore_any;
  std::vector<std::string> ignore_created_by;
  std::optional<bool> ignore_current;
  std::optional<std::string> baseline;
  std::optional<bool> update_baseline;
  std::optional<bool> strict;
  std::optional<int> top;
  std::optional<std::string> junit;
  std::optional<std::string> sarif;
  std::optional<bool> json;
  std::optional<bool> verbose;
};

/// Reads .weir.yaml. `path` is for messages. An empty file gives empty settings. Errors (usage):
/// the line, what is wrong, and for an unknown key the nearest known one.
Result<GateSettings> parse_settings(std::string_view yaml, const std::string& path);

/// Reads WEIR, WEIR_SETTLE, WEIR_STUCK_AFTER, WEIR_MAX_STOP, WEIR_STRICT, WEIR_BASELINE, and the
/// aliases GOLEAK_SKIP and GOLEAK_TIMEOUT (weaker than weir's own). `find_env` gives a variable or
/// nullopt.
Result<GateSettings> settings_from_environment(
    const std::function<std::optional<std::string>(const char*)>& find_env);

/// The defaults of GateOptions under `yaml` under `environment` under `flags`.
model::GateOptions merge(const GateSettings& yaml, const GateSettings& environment,
                         const GateSettings& flags);

/// A duration as Go writes it: "1s", "1m30s", "250ms", "1.5h"; "0" is allowed. Errors: usage.
Result<Nanos> parse_duration(std::string_view text);

}  // namespace weir::report
