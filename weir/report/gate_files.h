#pragma once
// The gate's report for machines.
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/gate.h"

namespace weir::report {

/// Schema "weir.test/1" (docs/json.md): one object and a line break.
std::string render_gate_json(const model::GateReport& report);

/// JUnit XML (the schema of the Jenkins xUnit plugin): a testsuite per program, a testcase per
/// fingerprint and test; known findings are "skipped", failing ones "failure", an unchecked program
/// "error". A program without findings has one passing testcase.
std::string render_junit(const model::GateReport& report);

struct SarifOptions {
  std::string version;  ///< weir's
  std::string root;     ///< absolute path of the module: files below become relative URIs
};
/// SARIF 2.1.0.
std::string render_sarif(const model::GateReport& report, const SarifOptions& options);

/// GitHub workflow commands: the worst ten findings (failing ones first) as ::error or ::warning,
/// and one ::notice that counts the rest. `root` as for SARIF.
std::string render_github_annotations(const model::GateReport& report, std::string_view root);

}  // namespace weir::report
