// Schema "weir.test/1".
#include "weir/model/gate.h"
#include "weir/report/gate_files.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_health_text.h"

namespace weir::report {
namespace {

void write_explored(JsonWriter& json, const model::Explored& one) {
  json.begin_object();
  json.member_if("package", one.package);
  json.member("test", one.test);
  json.member("control", one.control);
  json.member_if("why", one.why);
  json.member("schedules", one.schedules);
  if (!one.outcome.empty()) {
    json.member("outcome", one.outcome);
    json.member_if("message", one.message);
    json.member_if("function", one.place.function);
    json.member_if("file", one.place.file);
    if (one.place.line != 0) json.member("line", one.place.line);
    json.member("schedule_file", one.file);
    json.member("confirmed", one.confirmed);
    json.member("replayed", one.replayed);
  }
  json.end_object();
}

}  // namespace

std::string render_gate_json(const model::GateReport& report) {
  std::uint64_t findings = 0;
  std::uint64_t failing = 0;
  for (const model::ExecResult& program : report.programs) {
    for (const model::Finding& finding : program.findings) {
      ++findings;
      failing += model::fails(finding, report.strict) ? 1 : 0;
    }
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.test/1");
  json.member("exit_code", model::exit_code(report));
  json.member("strict", report.strict);
  json.member("has_baseline", report.has_baseline);
  json.member("findings", findings);
  json.member("failing", failing);
  json.key("programs");
  json.begin_array();
  for (const model::ExecResult& program : report.programs) {
    json.begin_object();
    write_program_members(json, program);
    json.end_object();
  }
  json.end_array();
  json.key("baseline_not_seen");
  json.begin_array();
  for (const model::BaselineEntry& entry : report.not_seen) {
    json.begin_object();
    write_fingerprint(json, entry.fingerprint);
    json.end_object();
  }
  json.end_array();
  if (!report.health.empty()) {
    json.key("health");
    json.begin_array();
    for (const model::HealthReport& health : report.health) write_health(json, health);
    json.end_array();
  }
  if (!report.explored.empty()) {
    json.key("explored");
    json.begin_array();
    for (const model::Explored& one : report.explored) write_explored(json, one);
    json.end_array();
  }
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
