#pragma once
// `weir prof -health` and `-cluster` for people and programs (schemas "weir.prof-health/1",
// "weir.prof-cluster/1", docs/json.md), and the section `prof:` of .weir.yaml.
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/gate.h"
#include "weir/model/profile_health.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_text.h"

namespace weir::report {

/// `stacks`: at most so many of each; 0: all.
std::string render_health(const std::vector<model::HealthReport>& reports, std::size_t stacks);
/// "block".
std::string_view health_word(model::HealthReport::Kind kind);
/// "30ms is what a wait takes on average; the limit is 10ms".
std::string health_sentence(const model::HealthReport& report);
/// At most so many of its stacks, one below the other; 0: all.
std::string health_stacks(const model::HealthReport& report, std::size_t stacks);
/// The place to point at: of the heaviest stack beyond the limit, else of the heaviest.
model::CodePlace place_of(const model::HealthReport& report);
/// One element of the array "profiles".
void write_health(JsonWriter& json, const model::HealthReport& report);
std::string render_health_json(const std::vector<model::HealthReport>& reports);

std::string render_cluster(const model::ClusterReport& report, const ProfOptions& options);
std::string render_cluster_json(const model::ClusterReport& report);

/// The limits, where the section has them: parked (per cent), block-wait, mutex-hold (times).
/// Errors: usage.
Result<model::HealthLimits> parse_health_settings(std::string_view yaml, const std::string& path);

}  // namespace weir::report
