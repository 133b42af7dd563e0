#pragma once
// The parts of the JSON schemas that more than one file has (docs/json.md).
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/notes.h"
#include "weir/model/gate.h"
#include "weir/report/json_writer.h"

namespace weir::report {

/// The member `name`, an array of texts.
void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts);
void write_notes(JsonWriter& json, const Notes& notes);
void write_fingerprint(JsonWriter& json, const model::Fingerprint& fingerprint);
void write_finding(JsonWriter& json, const model::Finding& finding);
void write_stuck(JsonWriter& json, const model::StuckDiagnosis& stuck);
/// The member "verdicts".
void write_verdicts(JsonWriter& json, const std::vector<model::SchedVerdict>& verdicts);
/// The members of a program's result, inside an object that the caller has begun.
void write_program_members(JsonWriter& json, const model::ExecResult& result);

}  // namespace weir::report
