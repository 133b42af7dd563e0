#include "weir/report/json_goroutine.h"

namespace weir::report {

using model::Frame;
using model::Stack;

namespace {

void write_frame(JsonWriter& json, const Frame& frame) {
  json.begin_object();
  json.member("function", frame.function);
  json.member("file", frame.file);
  json.member("line", frame.line);
  if (frame.pc) json.member("pc", to_hex(frame.pc));
  if (!frame.inlined) json.member("offset", frame.offset);
  json.member_if("inlined", frame.inlined);
  json.member_if("args", frame.args);
  json.end_object();
}

}  // namespace

void write_stack(JsonWriter& json, const Stack& stack) {
  json.begin_array();
  for (const Frame& frame : stack) write_frame(json, frame);
  json.end_array();
}

void write_created(JsonWriter& json, const model::Creation& created) {
  json.begin_object();
  json.member("function", created.function);
  json.member("file", created.file);
  json.member("line", created.line);
  if (created.offset > 0) json.member("offset", created.offset);
  if (created.by.value != 0) json.member("by", created.by.value);
  json.end_object();
}

void write_labels(JsonWriter& json, const model::Goroutine& goroutine) {
  json.begin_object();
  for (const auto& [key, text] : goroutine.labels) json.member(key, text);
  json.end_object();
}

void write_source(JsonWriter& json, const model::Source& source) {
  json.begin_object();
  json.member("kind", model::to_string(source.kind));
  json.member("name", source.name);
  if (source.pid != 0) json.member("pid", source.pid);
  json.member_if("executable", source.executable);
  json.member_if("build_id", source.build_id);
  json.member_if("go_version", source.go_version);
  json.member_if("arch", source.arch);
  json.member_if("command_line", source.command_line);
  if (source.taken_at) json.member("taken_at_ns", source.taken_at->value);
  json.end_object();
}

}  // namespace weir::report
