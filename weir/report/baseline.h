#pragma once
// The committed baseline of known fingerprints: JSON, schema "weir.baseline/1", sorted and one
// member per line, so that a diff of it reads well.
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::report {

std::string render_baseline(const model::Baseline& baseline);

/// `path` is for messages. Errors: invalid (with line and column, or the entry's number and
/// member), unsupported (another schema).
Result<model::Baseline> parse_baseline(std::string_view json, const std::string& path);

}  // namespace weir::report
