#pragma once
// The parts of a goroutine that more than one JSON schema has (docs/json.md). Internal to report.
#include "weir/model/snapshot.h"
#include "weir/report/json_writer.h"

namespace weir::report {

void write_stack(JsonWriter& json, const model::Stack& stack);
void write_created(JsonWriter& json, const model::Creation& created);
void write_labels(JsonWriter& json, const model::Goroutine& goroutine);
void write_source(JsonWriter& json, const model::Source& source);

}  // namespace weir::report
