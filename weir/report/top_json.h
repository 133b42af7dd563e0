#pragma once
// A top report as a part of another command's JSON.
#include "weir/model/top.h"
#include "weir/report/json_writer.h"

namespace weir::report {

/// The object that render_top_json writes.
void write_top(JsonWriter& json, const model::TopReport& report);

}  // namespace weir::report
