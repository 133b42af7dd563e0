#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/trace_text.h"

namespace weir::report {
namespace {

using model::Distribution;
using model::TraceReport;
using model::TraceSummary;

void write_stack(JsonWriter& json, const model::Stack& stack) {
  json.begin_array();
  for (const model::Frame& frame : stack) {
    json.begin_object();
    json.member("function", frame.function);
    json.member_if("file", frame.file);
    if (frame.line != 0) json.member("line", frame.line);
    json.end_object();
  }
  json.end_array();
}

/// The members of a distribution, inside an object that the caller has begun.
void write_waits(JsonWriter& json, const Distribution& waits) {
  json.member("count", waits.count);
  json.member("total_ns", waits.total.value);
  json.member("p50_ns", waits.percentile(0.5).value);
  json.member("p90_ns", waits.percentile(0.9).value);
  json.member("p99_ns", waits.percentile(0.99).value);
  json.member("p999_ns", waits.percentile(0.999).value);
  json.member("max_ns", waits.longest.value);
  json.member("max_goroutine", waits.longest_goroutine);
  json.member("max_at_ns", waits.longest_at);
}

void write_histogram(JsonWriter& json, const model::LogHistogram& histogram) {
  json.begin_array();
  for (const auto& bucket : histogram.powers()) {
    json.begin_object();
    json.member("from_ns", bucket.low);
    json.member("to_ns", bucket.high);
    json.member("count", bucket.count);
    json.end_object();
  }
  json.end_array();
}

void write_row(JsonWriter& json, const model::TraceRow& row) {
  json.begin_object();
  json.member("key", row.key);
  write_waits(json, row.waits);
  json.key("stack");
  write_stack(json, row.stack);
  json.key("wakers");
  json.begin_array();
  for (const model::TraceWaker& waker : row.wakers) {
    json.begin_object();
    json.member("where", waker.where);
    json.member("count", waker.count);
    json.member("total_ns", waker.total.value);
    json.key("stack");
    write_stack(json, waker.stack);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_section(JsonWriter& json, const model::TraceSection& section) {
  json.begin_object();
  json.member("kind",
              section.scheduling ? std::string_view("scheduling") : to_string(section.kind));
  write_waits(json, section.waits);
  if (!section.parts.empty()) {
    json.key("parts");
    json.begin_object();
    for (const auto& [kind, count] : section.parts) json.member(to_string(kind), count);
    json.end_object();
  }
  json.key("histogram");
  write_histogram(json, section.waits.histogram);
  json.key("rows");
  json.begin_array();
  for (const model::TraceRow& row : section.rows) write_row(json, row);
  json.end_array();
  json.end_object();
}

void write_open(JsonWriter& json, const model::OpenWaits& open) {
  json.begin_object();
  json.member("kind", to_string(open.kind));
  json.member("count", open.count);
  json.member("from_start", open.from_start);
  json.member("longest_ns", open.longest.value);
  json.key("goroutines");
  json.begin_array();
  for (const std::uint64_t id : open.goroutines) json.value(id);
  json.end_array();
  write_fingerprint(json, open.fingerprint);
  json.member_if("created_by", open.exemplar.created.function);
  json.key("stack");
  write_stack(json, open.exemplar.stack ? *open.exemplar.stack : model::Stack{});
  json.end_object();
}

void write_life(JsonWriter& json, const model::TraceLife& life) {
  json.begin_object();
  json.member("goroutine", life.goroutine);
  json.member("seen", life.seen);
  if (life.seen) {
    json.member_if("function", life.function);
    json.member("from_start", life.from_start);
    json.member_if("created_by", life.created_by);
    json.member("first_ns", life.first.value);
    json.member("last_ns", life.last.value);
    json.member("ended", life.ended);
    if (!life.ended) {
      json.member("at_end", to_string(life.at_end));
      json.member("at_end_for_ns", life.at_end_for.value);
    }
    json.key("spent");
    json.begin_array();
    for (const model::TraceLifePart& part : life.parts) {
      json.begin_object();
      json.member("kind", is_scheduling(part.kind) ? "scheduling" : to_string(part.kind));
      json.member("count", part.count);
      json.member("total_ns", part.total.value);
      json.member("max_ns", part.longest.value);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_summary(JsonWriter& json, const TraceSummary& summary) {
  json.begin_object();
  json.member("source", summary.source);
  json.member("format", summary.format);
  json.member("go", summary.go);
  json.member("size", summary.size);
  json.member("span_ns", summary.span.value);
  if (summary.started_at.value != 0) json.member("started_at_ns", summary.started_at.value);
  json.member("events", summary.events);
  json.member("generations", summary.generations);
  json.member("flight_recording", summary.begins_late);
  json.member("threads", summary.threads);
  json.member("procs", summary.procs);
  if (summary.gomaxprocs != 0) json.member("gomaxprocs", summary.gomaxprocs);
  json.member("goroutines", summary.goroutines);
  json.member("created", summary.created);
  json.member("ended", summary.ended);
  json.member("cpu_samples", summary.cpu_samples);
  json.member("running_ns", summary.running.value);
  json.member("gc_cycles", summary.gc_cycles);
  json.member("gc_active_ns", summary.gc_active.value);
  json.member("stopped_world_ns", summary.stopped_world.value);
  json.member("heap_largest", summary.heap_largest);
  json.member("runnable_mean", summary.runnable_mean);
  json.member("runnable_most", summary.runnable_most);
  json.member("backward", summary.backward);
  json.key("bytes");
  json.begin_object();
  for (const model::TraceBytes& part : summary.bytes) json.member(part.name, part.bytes);
  json.end_object();
  json.end_object();
}

}  // namespace

std::string render_trace_json(const TraceReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.trace/1");
  json.key("trace");
  write_summary(json, report.summary);
  json.member("by", to_string(report.by));
  json.member_if("filter", report.filter);
  if (!report.lives.empty()) {
    json.key("lives");
    json.begin_array();
    for (const model::TraceLife& life : report.lives) write_life(json, life);
    json.end_array();
  }
  json.key("waits");
  json.begin_array();
  for (const model::TraceSection& section : report.sections) write_section(json, section);
  json.end_array();
  json.member("open_goroutines", report.open_goroutines);
  json.key("open");
  json.begin_array();
  for (const model::OpenWaits& open : report.open) write_open(json, open);
  json.end_array();
  json.key("health");
  json.begin_array();
  for (const model::TraceHealth& health : report.health) {
    json.begin_object();
    json.member("rule", health.rule);
    json.member("text", health.text);
    json.member("crossed", health.crossed);
    json.end_object();
  }
  json.end_array();
  json.key("notes");
  Notes notes = report.summary.notes;
  notes.merge(report.notes);
  write_notes(json, notes);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
