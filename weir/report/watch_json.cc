#include "weir/report/json_goroutine.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/watch_text.h"

namespace weir::report {

using model::WatchChange;
using model::WatchLook;
using model::WatchSummary;

namespace {

void begin(JsonWriter& json, std::string_view event, const std::string& target) {
  json.begin_object();
  json.member("schema", "weir.watch/1");
  json.member("event", event);
  json.member("target", target);
}

void write_changes(JsonWriter& json, const std::vector<WatchChange>& changes) {
  json.key("changes");
  json.begin_array();
  for (const WatchChange& change : changes) {
    json.begin_object();
    json.member("id", change.fingerprint.id);
    json.member("key", change.fingerprint.key);
    json.member("first", change.first);
    json.member("now", change.now);
    json.end_object();
  }
  json.end_array();
}

void write_path(JsonWriter& json, const model::CausePath& path) {
  json.key("path");
  json.begin_array();
  for (const model::CauseStep& step : path.steps) {
    json.begin_object();
    json.member("question", step.question);
    json.member("answer", step.answer);
    json.member("evidence", step.evidence);
    json.end_object();
  }
  json.end_array();
  json.member("branch", path.branch);
  json.member("certainty", model::to_string(path.certainty));
  json.member("sentence", path.sentence);
  json.member_if("weakened_by", path.weakened_by);
  json.member_if("advice", path.advice);
}

void write_proof(JsonWriter& json, const model::AlarmProof& proof) {
  json.key("proof");
  json.begin_object();
  json.member("proved_by", proof.by_runtime ? "runtime" : "reachability");
  json.member_if("refused", proof.refused);
  if (proof.refused.empty()) {
    json.member("proved", proof.proved);
    if (!proof.by_runtime) json.member("held", proof.held);
    json.member("proved_in_all", proof.proved_in_all);
    if (proof.stopped) json.member("stopped_ns", proof.stopped->value);
    write_texts(json, "held_path", proof.path);
  }
  json.end_object();
}

}  // namespace

std::string render_look_json(const WatchLook& look) {
  std::string out;
  JsonWriter json(out);
  begin(json, look.missed.empty() ? "look" : "missed", look.target);
  json.member("at_ns", look.at.value);
  if (!look.missed.empty()) {
    json.member("why", look.missed);
  } else {
    json.member_if("restarted", look.restarted);
    json.member("total", look.total);
    json.member("parked", look.parked);
    json.member("change", look.change);
    write_changes(json, look.changes);
    json.member_if("partial", look.partial);
    json.key("notes");
    write_notes(json, look.notes);
  }
  json.end_object();
  return out += '\n';
}

std::string render_alarm_json(const model::WatchAlarm& alarm) {
  std::string out;
  JsonWriter json(out);
  begin(json, "alarm", alarm.target);
  json.member("at_ns", alarm.at.value);
  json.key("rules");
  json.begin_array();
  for (const model::RuleHit& hit : alarm.hits) {
    json.begin_object();
    json.member("rule", hit.rule);
    json.member("statement", hit.statement);
    json.end_object();
  }
  json.end_array();
  json.member_if("id", alarm.subject.id);
  json.member_if("key", alarm.subject.key);
  json.key("counts");
  json.begin_array();
  for (const std::uint64_t count : alarm.counts) json.value(count);
  json.end_array();
  if (alarm.exemplar && alarm.exemplar->stack) {
    json.key("stack");
    write_stack(json, *alarm.exemplar->stack);
    if (!alarm.exemplar->created.function.empty()) {
      json.key("created");
      write_created(json, alarm.exemplar->created);
    }
  }
  if (alarm.path) write_path(json, *alarm.path);
  if (alarm.proof) write_proof(json, *alarm.proof);
  json.end_object();
  return out += '\n';
}

std::string render_summary_json(const WatchSummary& summary) {
  std::string out;
  JsonWriter json(out);
  begin(json, "summary", summary.target);
  json.member("series", summary.series);
  json.member("looks", summary.looks);
  json.member("missed", summary.missed);
  json.member("restarts", summary.restarts);
  json.member("alarms", summary.alarms);
  if (summary.first) json.member("first_total", *summary.first);
  if (summary.last) json.member("last_total", *summary.last);
  write_changes(json, summary.changes);
  json.member("over", summary.over);
  if (summary.until) json.member("until_ns", summary.until->value);
  json.end_object();
  return out += '\n';
}

}  // namespace weir::report
