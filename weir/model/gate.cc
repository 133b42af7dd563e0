#include "weir/model/gate.h"

#include <algorithm>

namespace weir::model {

std::string_view to_string(Certainty certainty) {
  switch (certainty) {
    case Certainty::possible:
      return "possible";
    case Certainty::likely:
      return "likely";
    case Certainty::proved:
      break;
  }
  return "proved";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::lingering:
      return "lingering";
    case Verdict::leaked:
      return "leaked";
    case Verdict::stuck:
      break;
  }
  return "stuck";
}

int exit_code(const GateReport& report) {
  for (const ExecResult& program : report.programs) {
    if (program.child_code != 0) return program.child_code;
  }
  const auto found = [&](const ExecResult& program) {
    if (program.stuck && program.stuck->stuck) return true;
    if (program.pointer_fault || (program.scheduler && program.scheduler->has_finding()))
      return true;
    return std::any_of(program.findings.begin(), program.findings.end(),
                       [&](const Finding& finding) { return fails(finding, report.strict); });
  };
  if (std::any_of(report.programs.begin(), report.programs.end(), found)) return 1;
  if (std::any_of(report.health.begin(), report.health.end(),
                  [](const HealthReport& health) { return health.crossed; }))
    return 1;
  if (std::any_of(report.explored.begin(), report.explored.end(),
                  [](const Explored& one) { return !one.outcome.empty(); }))
    return 1;
  const auto unchecked = [](const ExecResult& program) { return !program.not_checked.empty(); };
  return std::any_of(report.programs.begin(), report.programs.end(), unchecked) ? 2 : 0;
}

}  // namespace weir::model
