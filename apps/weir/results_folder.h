#pragma once
// The folder through which each `weir exec` hands its result to the `weir test` above it. The
// environment variable WEIR_RESULTS names it; the program under test does not see that variable.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::app {

constexpr const char* results_variable = "WEIR_RESULTS";

/// Empty when weir exec was not started by weir test.
std::string results_folder();
/// weir's own environment without the variable, as "NAME=value".
std::vector<std::string> environment_without_folder();

/// Adds one file. Errors: io.
Result<void> write_result(const std::string& folder, const model::ExecResult& result);
/// What all of them wrote. Errors: io, and those of report::parse_exec_result.
Result<std::vector<model::ExecResult>> read_results(const std::string& folder);

}  // namespace weir::app
