#pragma once
// The file in which `weir exec` hands its result to `weir test`: JSON, schema "weir.exec/1", one
// program per file. Also the "programs" of "weir.test/1". docs/json.md.
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::report {

std::string render_exec_result(const model::ExecResult& result);

/// `path` is for messages; may be empty. Errors: truncated or invalid (JSON, with the offset),
/// unsupported (another schema), limit. Unknown members are skipped; a member of the wrong type is
/// an error that names it.
Result<model::ExecResult> parse_exec_result(std::string_view json, const std::string& path = {});

/// Two results of the same program (go test -count, -cpu run it once, but -exec may be called again
/// with the same package) stay apart; this only sorts by package, then executable.
std::vector<model::ExecResult> sorted_results(std::vector<model::ExecResult> results);

}  // namespace weir::report
