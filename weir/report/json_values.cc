#include "weir/report/json_values.h"

namespace weir::report {

namespace {

void write_place(JsonWriter& json, const model::CodePlace& place) {
  json.begin_object();
  json.member("function", place.function);
  json.member("file", place.file);
  json.member("line", place.line);
  json.end_object();
}

void write_cause(JsonWriter& json, const model::Cause& cause) {
  json.begin_object();
  json.member("code", cause.code);
  json.member("sentence", cause.sentence);
  json.member("certainty", model::to_string(cause.certainty));
  write_texts(json, "evidence", cause.evidence);
  json.member_if("weakened_by", cause.weakened_by);
  json.member_if("advice", cause.advice);
  json.end_object();
}

void write_tests(JsonWriter& json, const std::vector<model::TestShare>& tests) {
  json.begin_array();
  for (const model::TestShare& share : tests) {
    json.begin_object();
    json.member_if("test", share.test);
    json.member_if("why_unattributed", share.why);
    json.member("count", share.count);
    json.end_object();
  }
  json.end_array();
}

void write_stuck_line(JsonWriter& json, const model::StuckLine& line) {
  json.begin_object();
  json.key("goroutines");
  json.begin_array();
  for (const Goid id : line.goroutines) json.value(id.value);
  json.end_array();
  json.member("what", line.what);
  json.key("where");
  write_place(json, line.where);
  json.member_if("could_wake", line.could_wake);
  json.end_object();
}

void write_counts(JsonWriter& json, const std::vector<model::TestCount>& counts) {
  json.begin_array();
  for (const model::TestCount& count : counts) {
    json.begin_object();
    json.member("test", count.test);
    json.member("before", count.before);
    json.member("after", count.after);
    json.member("peak", count.peak);
    json.end_object();
  }
  json.end_array();
}

void write_others(JsonWriter& json, const std::vector<model::OtherStack>& others) {
  json.key("other_stacks");
  json.begin_array();
  for (const model::OtherStack& other : others) {
    json.begin_object();
    json.member("count", other.count);
    json.key("stack");
    json.begin_array();
    for (const model::CodePlace& place : other.stack) write_place(json, place);
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name);
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_notes(JsonWriter& json, const Notes& notes) {
  json.begin_array();
  for (const Note& note : notes.all()) {
    json.begin_object();
    json.member("severity", to_string(note.severity));
    json.member("text", note.text);
    json.member_if("place", note.place);
    json.member_if("advice", note.advice);
    json.member("count", note.count);
    json.end_object();
  }
  json.end_array();
}

void write_fingerprint(JsonWriter& json, const model::Fingerprint& fingerprint) {
  json.member("fingerprint", fingerprint.id);
  json.member("key", fingerprint.key);
}

void write_finding(JsonWriter& json, const model::Finding& finding) {
  json.begin_object();
  write_fingerprint(json, finding.fingerprint);
  json.member("verdict", model::to_string(finding.verdict));
  json.member("known", finding.known);
  json.member("count", finding.count);
  json.key("tests");
  write_tests(json, finding.tests);
  json.member("goroutine", finding.exemplar.value);
  json.member("state", finding.state);
  if (finding.oldest) json.member("waiting_at_least_ns", finding.oldest->value);
  json.member_if("blocked_on", finding.blocked_on);
  json.key("stack");
  json.begin_array();
  for (const model::CodePlace& place : finding.stack) write_place(json, place);
  json.end_array();
  if (!finding.others.empty()) write_others(json, finding.others);
  if (!finding.created.function.empty()) {
    json.key("created");
    write_place(json, finding.created);
  }
  json.key("cause");
  write_cause(json, finding.cause);
  json.end_object();
}

void write_stuck(JsonWriter& json, const model::StuckDiagnosis& stuck) {
  json.begin_object();
  json.member("stuck", stuck.stuck);
  json.member("certainty", model::to_string(stuck.certainty));
  json.member("headline", stuck.headline);
  json.key("goroutines");
  json.begin_array();
  for (const model::StuckLine& line : stuck.lines) write_stuck_line(json, line);
  json.end_array();
  write_texts(json, "cycles", stuck.cycles);
  write_texts(json, "can_wake", stuck.can_wake);
  json.member_if("weakened_by", stuck.weakened_by);
  json.end_object();
}

void write_verdicts(JsonWriter& json, const std::vector<model::SchedVerdict>& verdicts) {
  json.key("verdicts");
  json.begin_array();
  for (const model::SchedVerdict& verdict : verdicts) {
    json.begin_object();
    json.member("kind", std::string_view(to_string(verdict.kind)));
    json.member("finding", verdict.is_finding);
    json.member("text", verdict.text);
    json.member("advice", verdict.advice);
    json.member("from_ns", verdict.from.value);
    json.member("to_ns", verdict.to.value);
    json.member("samples", verdict.samples);
    json.end_object();
  }
  json.end_array();
}

namespace {

void write_scheduler(JsonWriter& json, const model::SchedReport& report) {
  json.key("scheduler");
  json.begin_object();
  json.member("samples_seen", report.count);
  json.member("span_ns", report.span.value);
  json.member("gomaxprocs", report.gomaxprocs);
  json.member("run_queue_most", report.run_queue.most);
  json.member("local_queues_most", report.local_queues.most);
  json.member("threads_most", report.threads.most);
  write_verdicts(json, report.verdicts);
  json.end_object();
}

void write_pointer_fault(JsonWriter& json, const model::PointerFault& fault) {
  json.key("pointer_fault");
  json.begin_object();
  json.member("message", fault.message);
  json.key("stack");
  json.begin_array();
  for (const model::CodePlace& place : fault.stack) write_place(json, place);
  json.end_array();
  json.end_object();
}

}  // namespace

void write_program_members(JsonWriter& json, const model::ExecResult& result) {
  json.member("package", result.package);
  json.member_if("executable", result.executable);
  json.member_if("build_id", result.build_id);
  json.member_if("go_version", result.go_version);
  write_texts(json, "arguments", result.arguments);
  json.member("child_code", result.child_code);
  json.member("goroutines_at_end", result.goroutines_at_end);
  json.member("ignored", result.ignored);
  if (result.settled) json.member("settled_ns", result.settled->value);
  if (result.stopped) json.member("stopped_ns", result.stopped->value);
  json.member_if("not_checked", result.not_checked);
  json.key("findings");
  json.begin_array();
  for (const model::Finding& finding : result.findings) write_finding(json, finding);
  json.end_array();
  if (result.stuck) {
    json.key("stuck");
    write_stuck(json, *result.stuck);
  }
  json.key("counts");
  write_counts(json, result.counts);
  if (!result.profiles.empty()) {
    json.key("profiles");
    json.begin_array();
    for (const model::ProfileFile& profile : result.profiles) {
      json.begin_object();
      json.member("kind", profile.kind);
      json.member("path", profile.path);
      json.end_object();
    }
    json.end_array();
  }
  if (result.scheduler) write_scheduler(json, *result.scheduler);
  if (result.pointer_fault) write_pointer_fault(json, *result.pointer_fault);
  json.key("notes");
  write_notes(json, result.notes);
}

}  // namespace weir::report
