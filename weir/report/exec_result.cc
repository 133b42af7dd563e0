#include "weir/report/exec_result.h"

#include <algorithm>
#include <tuple>

#include "weir/report/json_fields.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"

namespace weir::report {

using model::Certainty;
using model::CodePlace;
using model::ExecResult;
using model::Finding;
using model::StuckDiagnosis;
using model::Verdict;

namespace {

constexpr std::string_view schema = "weir.exec/1";
constexpr std::size_t limit = 256u << 20;
constexpr Certainty certainties[] = {Certainty::possible, Certainty::likely, Certainty::proved};
constexpr Verdict verdicts[] = {Verdict::lingering, Verdict::leaked, Verdict::stuck};
constexpr Severity severities[] = {Severity::info, Severity::warning, Severity::loss};

CodePlace place_of(const Fields& fields) {
  CodePlace place;
  fields.read("function", place.function);
  fields.read("file", place.file);
  fields.read("line", place.line);
  return place;
}

model::Cause cause_of(const Fields& fields) {
  model::Cause cause;
  fields.read("code", cause.code);
  fields.read("sentence", cause.sentence);
  fields.read_word("certainty", certainties, cause.certainty);
  fields.read("evidence", cause.evidence);
  fields.read("weakened_by", cause.weakened_by);
  fields.read("advice", cause.advice);
  return cause;
}

Finding finding_of(const Fields& fields) {
  Finding finding;
  fields.require("fingerprint");
  fields.read("fingerprint", finding.fingerprint.id);
  fields.read("key", finding.fingerprint.key);
  fields.read_word("verdict", verdicts, finding.verdict);
  fields.read("known", finding.known);
  fields.read("count", finding.count);
  fields.for_each("tests", [&](const Fields& test) {
    model::TestShare share;
    test.read("test", share.test);
    test.read("why_unattributed", share.why);
    test.read("count", share.count);
    finding.tests.push_back(std::move(share));
  });
  fields.read("goroutine", finding.exemplar);
  fields.read("state", finding.state);
  fields.read("waiting_at_least_ns", finding.oldest);
  fields.read("blocked_on", finding.blocked_on);
  fields.for_each("stack", [&](const Fields& f) { finding.stack.push_back(place_of(f)); });
  fields.for_each("other_stacks", [&](const Fields& other) {
    model::OtherStack& one = finding.others.emplace_back();
    other.read("count", one.count);
    other.for_each("stack", [&](const Fields& f) { one.stack.push_back(place_of(f)); });
  });
  if (const auto created = fields.object("created")) finding.created = place_of(*created);
  if (const auto cause = fields.object("cause")) finding.cause = cause_of(*cause);
  return finding;
}

StuckDiagnosis stuck_of(const Fields& fields, std::string& failure) {
  StuckDiagnosis stuck;
  fields.read("stuck", stuck.stuck);
  fields.read_word("certainty", certainties, stuck.certainty);
  fields.read("headline", stuck.headline);
  fields.for_each("goroutines", [&](const Fields& f) {
    model::StuckLine line;
    f.read_numbers("goroutines", [&](std::uint64_t id) { line.goroutines.push_back(Goid{id}); });
    f.read("what", line.what);
    if (const auto where = f.object("where")) line.where = place_of(*where);
    f.read("could_wake", line.could_wake);
    if (failure.empty()) stuck.lines.push_back(std::move(line));
  });
  fields.read("cycles", stuck.cycles);
  fields.read("can_wake", stuck.can_wake);
  fields.read("weakened_by", stuck.weakened_by);
  return stuck;
}

void read_notes(const Fields& fields, Notes& notes) {
  fields.for_each("notes", [&](const Fields& f) {
    Note note;
    f.read_word("severity", severities, note.severity);
    f.read("text", note.text);
    f.read("place", note.place);
    f.read("advice", note.advice);
    f.read("count", note.count);
    notes.add(note);
  });
}

model::SchedReport scheduler_of(const Fields& fields) {
  using enum model::SchedVerdictKind;
  constexpr model::SchedVerdictKind kinds[] = {starved, unserved, frozen,   stalled,
                                               idle,    threads,  imbalance};
  model::SchedReport report;
  std::optional<Nanos> span, from, to;
  fields.read("samples_seen", report.count);
  fields.read("span_ns", span);
  report.span = span.value_or(Nanos{});
  fields.read("gomaxprocs", report.gomaxprocs);
  fields.read("run_queue_most", report.run_queue.most);
  fields.read("local_queues_most", report.local_queues.most);
  fields.read("threads_most", report.threads.most);
  fields.for_each("verdicts", [&](const Fields& f) {
    model::SchedVerdict& verdict = report.verdicts.emplace_back();
    f.read_word("kind", kinds, verdict.kind);
    f.read("finding", verdict.is_finding);
    f.read("text", verdict.text);
    f.read("advice", verdict.advice);
    f.read("from_ns", from);
    f.read("to_ns", to);
    verdict.from = from.value_or(Nanos{});
    verdict.to = to.value_or(Nanos{});
    f.read("samples", verdict.samples);
  });
  return report;
}

model::PointerFault fault_of(const Fields& fields) {
  model::PointerFault fault;
  fields.require("message");
  fields.read("message", fault.message);
  fields.for_each("stack", [&](const Fields& f) { fault.stack.push_back(place_of(f)); });
  return fault;
}

ExecResult result_of(const Fields& fields, std::string& failure) {
  ExecResult result;
  fields.require("package");
  fields.read("package", result.package);
  fields.read("executable", result.executable);
  fields.read("build_id", result.build_id);
  fields.read("go_version", result.go_version);
  fields.read("arguments", result.arguments);
  fields.read("child_code", result.child_code);
  fields.read("goroutines_at_end", result.goroutines_at_end);
  fields.read("ignored", result.ignored);
  fields.read("settled_ns", result.settled);
  fields.read("stopped_ns", result.stopped);
  fields.read("not_checked", result.not_checked);
  fields.for_each("findings", [&](const Fields& f) { result.findings.push_back(finding_of(f)); });
  if (const auto stuck = fields.object("stuck")) result.stuck = stuck_of(*stuck, failure);
  fields.for_each("counts", [&](const Fields& f) {
    model::TestCount count;
    f.read("test", count.test);
    f.read("before", count.before);
    f.read("after", count.after);
    f.read("peak", count.peak);
    result.counts.push_back(std::move(count));
  });
  fields.for_each("profiles", [&](const Fields& f) {
    model::ProfileFile& profile = result.profiles.emplace_back();
    f.read("kind", profile.kind);
    f.read("path", profile.path);
  });
  if (const auto scheduler = fields.object("scheduler"))
    result.scheduler = scheduler_of(*scheduler);
  if (const auto fault = fields.object("pointer_fault")) result.pointer_fault = fault_of(*fault);
  read_notes(fields, result.notes);
  return result;
}

}  // namespace

std::string render_exec_result(const ExecResult& result) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", schema);
  write_program_members(json, result);
  json.end_object();
  out += '\n';
  return out;
}

Result<ExecResult> parse_exec_result(std::string_view text, const std::string& path) {
  WEIR_TRY(const Json document, parse_document(text, schema, path, limit));
  std::string failure;
  ExecResult result = result_of(Fields(document, "", failure), failure);
  if (!failure.empty()) return fail(ErrorCode::invalid, failure, where_of(path));
  return result;
}

std::vector<ExecResult> sorted_results(std::vector<ExecResult> results) {
  std::stable_sort(results.begin(), results.end(), [](const ExecResult& a, const ExecResult& b) {
    return std::tie(a.package, a.executable) < std::tie(b.package, b.executable);
  });
  return results;
}

}  // namespace weir::report
