// Schema "weir.test/1".
#include "weir/model/gate.h"
#include "weir/report/gate_files.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_health_text.h"

namespace weir::report {

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
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
