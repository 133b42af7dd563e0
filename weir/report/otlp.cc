#include "weir/report/otlp.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "weir/report/json_writer.h"

namespace weir::report {

using model::WatchAlarm;
using model::WatchStatus;

namespace {

constexpr std::int64_t cumulative = 2;      // AGGREGATION_TEMPORALITY_CUMULATIVE
constexpr std::int64_t severity_warn = 13;  // SEVERITY_NUMBER_WARN

std::string number_text(std::int64_t number) {
  return fmt::format("{}", number);
}
std::string number_text(std::uint64_t number) {
  return fmt::format("{}", number);
}

void attribute(JsonWriter& json, std::string_view key, std::string_view text) {
  json.begin_object();
  json.member("key", key);
  json.key("value");
  json.begin_object();
  json.member("stringValue", text);
  json.end_object();
  json.end_object();
}

/// From `{` to the inside of the one scope: `resource` and `scope` are the names of the lists.
void open_scope(JsonWriter& json, std::string_view resource, std::string_view scope,
                const std::string& target, std::string_view version) {
  json.begin_object();
  json.key(resource);
  json.begin_array();
  json.begin_object();
  json.key("resource");
  json.begin_object();
  json.key("attributes");
  json.begin_array();
  attribute(json, "service.name", "weir");
  attribute(json, "weir.target", target);
  json.end_array();
  json.end_object();
  json.key(scope);
  json.begin_array();
  json.begin_object();
  json.key("scope");
  json.begin_object();
  json.member("name", "weir");
  json.member("version", version);
  json.end_object();
}

void close_scope(JsonWriter& json) {
  json.end_object();
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
}

class Metrics {
 public:
  Metrics(JsonWriter& json, const WatchStatus& status) : json_(json), status_(status) {}

  void begin(std::string_view name, std::string_view unit, std::string_view description,
             bool is_counter) {
    json_.begin_object();
    json_.member("name", name);
    json_.member("description", description);
    json_.member("unit", unit);
    json_.key(is_counter ? "sum" : "gauge");
    json_.begin_object();
    if (is_counter) {
      json_.member("aggregationTemporality", cumulative);
      json_.member("isMonotonic", true);
    }
    json_.key("dataPoints");
    json_.begin_array();
  }
  /// `attributes()` writes the point's own.
  template <class Attributes>
  void point(std::uint64_t value, Attributes attributes) {
    json_.begin_object();
    json_.key("attributes");
    json_.begin_array();
    attributes();
    json_.end_array();
    json_.member("startTimeUnixNano", number_text(status_.started.value));
    json_.member("timeUnixNano", number_text(status_.at->value));
    json_.member("asInt", number_text(value));
    json_.end_object();
  }
  void end() {
    json_.end_array();
    json_.end_object();
    json_.end_object();
  }
  void one(std::string_view name, std::string_view unit, std::string_view description,
           bool is_counter, std::uint64_t value) {
    begin(name, unit, description, is_counter);
    point(value, [] {});
    end();
  }

 private:
  JsonWriter& json_;
  const WatchStatus& status_;
};

void write_metrics(JsonWriter& json, const WatchStatus& status) {
  Metrics metrics(json, status);
  metrics.one("weir.target.up", "1", "Whether the last look saw the target.", false,
              status.seen ? 1 : 0);
  if (status.seen) {
    metrics.one("weir.goroutines", "{goroutine}", "Goroutines.", false, status.total);
    metrics.one("weir.goroutines.parked", "{goroutine}", "Parked goroutines.", false,
                status.parked);
    metrics.begin("weir.goroutine.group", "{goroutine}", "Goroutines of the largest groups.",
                  false);
    for (const model::WatchCount& group : status.groups)
      metrics.point(group.count, [&] {
        attribute(json, "weir.fingerprint", group.fingerprint.id);
        attribute(json, "weir.key", group.fingerprint.key);
      });
    metrics.end();
  }
  metrics.one("weir.looks", "{look}", "Looks that saw the target.", true, status.looks);
  metrics.one("weir.looks.missed", "{look}", "Looks that saw nothing.", true, status.missed);
  metrics.one("weir.target.restarts", "{restart}", "Restarts of the target.", true,
              status.restarts);
  if (status.alarms.empty()) return;
  metrics.begin("weir.alarms", "{alarm}", "Alarms.", true);
  for (const auto& [rule, count] : status.alarms)
    metrics.point(count, [&json, &rule = rule] { attribute(json, "weir.rule", rule); });
  metrics.end();
}

void write_attributes(JsonWriter& json, const WatchAlarm& alarm) {
  json.key("attributes");
  json.begin_array();
  std::string rules;
  for (const model::RuleHit& hit : alarm.hits) rules += (rules.empty() ? "" : ",") + hit.rule;
  attribute(json, "weir.rules", rules);
  if (!alarm.subject.id.empty()) {
    attribute(json, "weir.fingerprint", alarm.subject.id);
    attribute(json, "weir.key", alarm.subject.key);
  }
  if (alarm.path) {
    attribute(json, "weir.branch", alarm.path->branch);
    attribute(json, "weir.certainty", model::to_string(alarm.path->certainty));
  }
  json.end_array();
}

}  // namespace

std::string render_otlp_metrics(const WatchStatus& status, std::string_view weir_version) {
  if (!status.at) return {};
  std::string out;
  JsonWriter json(out);
  open_scope(json, "resourceMetrics", "scopeMetrics", status.target, weir_version);
  json.key("metrics");
  json.begin_array();
  write_metrics(json, status);
  json.end_array();
  close_scope(json);
  return out;
}

std::string render_otlp_log(const WatchAlarm& alarm, std::string_view text,
                            std::string_view weir_version) {
  std::string out;
  JsonWriter json(out);
  open_scope(json, "resourceLogs", "scopeLogs", alarm.target, weir_version);
  json.key("logRecords");
  json.begin_array();
  json.begin_object();
  json.member("timeUnixNano", number_text(alarm.at.value));
  json.member("observedTimeUnixNano", number_text(alarm.at.value));
  json.member("severityNumber", severity_warn);
  json.member("severityText", "WARN");
  json.key("body");
  json.begin_object();
  json.member("stringValue", text);
  json.end_object();
  write_attributes(json, alarm);
  json.end_object();
  json.end_array();
  close_scope(json);
  return out;
}

std::string otlp_refusal(std::string_view answer) {
  const auto document = nlohmann::json::parse(answer, nullptr, false);
  if (!document.is_object() || !document.contains("partialSuccess")) return {};
  const auto& partial = document["partialSuccess"];
  if (!partial.is_object()) return {};
  std::string refused, message;
  for (const char* key : {"rejectedDataPoints", "rejectedLogRecords"}) {
    if (!partial.contains(key)) continue;
    const auto& count = partial[key];
    refused = count.is_string() ? count.get<std::string>() : count.dump();
  }
  if (partial.contains("errorMessage") && partial["errorMessage"].is_string())
    message = partial["errorMessage"].get<std::string>();
  if ((refused.empty() || refused == "0") && message.empty()) return {};
  return fmt::format("{} refused: {}", refused.empty() ? "0" : refused, message);
}

}  // namespace weir::report
