#pragma once
// What a program's own runtime has found to be leaked, for people and as JSON (schema
// "weir.leaks/1", docs/json.md).
#include <string>

#include "weir/model/leaks.h"
#include "weir/report/why_text.h"

namespace weir::report {

std::string render_runtime_leaks(const model::RuntimeLeaks& leaks, const WhyOptions& options);
std::string render_runtime_leaks_json(const model::RuntimeLeaks& leaks);

}  // namespace weir::report
