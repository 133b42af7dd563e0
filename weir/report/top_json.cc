#include "weir/report/top_json.h"

#include "weir/model/describe.h"
#include "weir/report/json_goroutine.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/top_text.h"

namespace weir::report {

using model::Goroutine;
using model::TopReport;
using model::TopRow;
using model::TrendReport;
using model::TrendRow;

namespace {

void write_exemplar(JsonWriter& json, const Goroutine& goroutine) {
  json.key("exemplar");
  json.begin_object();
  if (goroutine.id.value != 0) json.member("id", goroutine.id.value);
  json.member("state", model::state_of(goroutine));
  if (goroutine.stack) {
    json.key("stack");
    write_stack(json, *goroutine.stack);
  }
  if (!goroutine.created.function.empty()) {
    json.key("created");
    write_created(json, goroutine.created);
  }
  if (!goroutine.labels.empty()) {
    json.key("labels");
    write_labels(json, goroutine);
  }
  if (goroutine.blocked_on) json.member("blocked_on", model::describe(*goroutine.blocked_on));
  json.end_object();
}

void write_row(JsonWriter& json, const TopRow& row) {
  json.begin_object();
  json.member("key", row.key);
  json.member_if("id", row.id);
  json.member("count", row.count);
  json.member("kinds", row.kinds);
  if (row.longest_wait) json.member("waits_at_least_ns", row.longest_wait->value);
  write_exemplar(json, row.exemplar);
  json.end_object();
}

void write_row(JsonWriter& json, const TrendRow& row) {
  json.begin_object();
  json.member("id", row.fingerprint.id);
  json.member("key", row.fingerprint.key);
  json.member("movement", model::to_string(row.movement));
  json.key("counts");
  json.begin_array();
  for (const std::uint64_t count : row.counts) json.value(count);
  json.end_array();
  if (row.per_minute) json.member("per_minute", *row.per_minute);
  json.member_if("monotonic", row.monotonic);
  write_exemplar(json, row.exemplar);
  json.end_object();
}

template <class Rows>
void write_rows(JsonWriter& json, const Rows& rows) {
  json.key("rows");
  json.begin_array();
  for (const auto& row : rows) write_row(json, row);
  json.end_array();
}

}  // namespace

void write_top(JsonWriter& json, const TopReport& report) {
  json.begin_object();
  json.member("schema", "weir.top/1");
  json.key("source");
  write_source(json, report.source);
  json.member("by", model::to_string(report.by));
  json.member_if("label", report.label);
  json.member("total", report.total);
  json.member("chosen", report.chosen);
  json.member("waiting", report.waiting);
  json.member("knows_state", report.knows.state);
  json.member("knows_wait", report.knows.wait);
  json.member("knows_creator", report.knows.creator);
  json.member("partial", report.partial);
  write_rows(json, report.rows);
  json.key("notes");
  write_notes(json, report.notes);
  json.end_object();
}

std::string render_top_json(const TopReport& report) {
  std::string out;
  JsonWriter json(out);
  write_top(json, report);
  out += '\n';
  return out;
}

std::string render_trend_json(const TrendReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.diff/1");
  json.key("sources");
  json.begin_array();
  for (const model::Source& source : report.sources) write_source(json, source);
  json.end_array();
  json.key("totals");
  json.begin_array();
  for (const std::uint64_t total : report.totals) json.value(total);
  json.end_array();
  if (report.span) json.member("span_ns", report.span->value);
  write_rows(json, report.rows);
  json.key("notes");
  write_notes(json, report.notes);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
