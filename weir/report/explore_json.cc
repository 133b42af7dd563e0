// `weir explore -json`: schema "weir.explore/1".
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/schedule_text.h"

namespace weir::report {
namespace {

void write_counts(JsonWriter& json, std::string_view name, std::string_view what,
                  const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
  json.key(name);
  json.begin_array();
  for (const auto& [text, count] : counts) {
    json.begin_object();
    json.member(what, text);
    json.member("schedules", count);
    json.end_object();
  }
  json.end_array();
}

void write_stack(JsonWriter& json, std::string_view name,
                 const std::vector<model::CodePlace>& stack) {
  json.key(name);
  json.begin_array();
  for (const model::CodePlace& place : stack) {
    json.begin_object();
    json.member("function", place.function);
    json.member("file", place.file);
    json.member("line", std::int64_t{place.line});
    json.end_object();
  }
  json.end_array();
}

void write_race(JsonWriter& json, const std::vector<model::RaceAccess>& race) {
  json.key("race");
  json.begin_array();
  for (const model::RaceAccess& access : race) {
    json.begin_object();
    json.member("what", access.what);
    json.member("by", access.by);
    write_stack(json, "stack", access.stack);
    write_stack(json, "created", access.created);
    json.end_object();
  }
  json.end_array();
}

void write_leaks(JsonWriter& json, const std::vector<model::ExploreLeak>& leaks) {
  json.key("leaks");
  json.begin_array();
  for (const model::ExploreLeak& leak : leaks) {
    json.begin_object();
    write_fingerprint(json, leak.fingerprint);
    json.key("goroutines");
    json.begin_array();
    for (const Goid id : leak.goroutines) json.value(id.value);
    json.end_array();
    json.member("certainty", model::to_string(leak.certainty));
    json.member_if("because", leak.because);
    if (!leak.path.empty()) write_texts(json, "path", leak.path);
    json.end_object();
  }
  json.end_array();
}

void write_finding(JsonWriter& json, const model::ExploreFinding& finding) {
  json.key("finding");
  json.begin_object();
  json.member("outcome", finding.schedule.outcome);
  json.member_if("message", finding.schedule.message);
  json.member("strategy", finding.schedule.strategy);
  json.member("seed", finding.schedule.seed);
  json.member("found_in", finding.found_in);
  json.member("points", static_cast<std::uint64_t>(finding.schedule.steps.size()));
  json.member("deviations", finding.deviations);
  json.member("deviations_before", finding.deviations_before);
  json.member("confirmed", finding.confirmed);
  json.member("replayed", finding.replayed);
  json.member("hash", finding.schedule.hash);
  json.member_if("file", finding.file);
  json.member_if("token", finding.token);
  if (!finding.leaks.empty()) write_leaks(json, finding.leaks);
  if (finding.end && !finding.end->race.empty()) write_race(json, finding.end->race);
  json.end_object();
}

void write_exploration(JsonWriter& json, const model::Exploration& one) {
  json.begin_object();
  json.member_if("package", one.package);
  json.member("test", one.test);
  json.member("control", one.control);
  json.member_if("why", one.why);
  json.member("schedules", one.schedules);
  json.member("distinct", one.distinct);
  json.member("orders", one.orders);
  json.member("places", one.places);
  json.member("switched", one.switched);
  json.member("points", one.points);
  write_counts(json, "strategies", "strategy", one.strategies);
  if (one.exhausted) {
    json.member("exhausted_bound", *one.exhausted);
    json.member("exhausted_schedules", one.exhausted_schedules);
  }
  json.member("complete", one.complete);
  if (one.exhausted_orders) {
    json.member("exhausted_orders", *one.exhausted_orders);
    json.member("exhausted_orders_schedules", one.exhausted_orders_schedules);
  }
  json.member_if("unreduced", one.unreduced);
  json.member_if("stopped", one.stopped);
  write_counts(json, "unknown", "reason", one.unknown);
  json.member("unconfirmed", one.unconfirmed);
  write_texts(json, "observations", one.observations);
  json.member("clamped", one.clamped);
  json.member("seed", one.seed);
  if (one.finding) write_finding(json, *one.finding);
  json.end_object();
}

}  // namespace

std::string render_explorations_json(const std::vector<model::Exploration>& explorations) {
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  json.member("schema", "weir.explore/1");
  json.key("tests");
  json.begin_array();
  for (const model::Exploration& one : explorations) write_exploration(json, one);
  json.end_array();
  json.end_object();
  return out + '\n';
}

}  // namespace weir::report
