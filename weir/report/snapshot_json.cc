#include "weir/report/snapshot_json.h"

#include <unordered_map>
#include <vector>

#include "weir/model/describe.h"
#include "weir/report/json_goroutine.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"

namespace weir::report {

using model::Blocking;
using model::Goroutine;
using model::Snapshot;
using model::Stack;

namespace {

std::string_view word(model::Direction direction) {
  return direction == model::Direction::send ? "send" : "receive";
}

/// Numbers stacks by identity: goroutines that have the same one share the value.
class StackNumbers {
 public:
  explicit StackNumbers(const Snapshot& snapshot) {
    for (const Goroutine& goroutine : snapshot.goroutines) {
      if (!goroutine.stack) continue;
      if (number_.try_emplace(goroutine.stack.get(), order_.size()).second)
        order_.push_back(goroutine.stack.get());
    }
  }
  const std::vector<const Stack*>& order() const { return order_; }
  std::uint64_t of(const Goroutine& goroutine) const { return number_.at(goroutine.stack.get()); }

 private:
  std::unordered_map<const Stack*, std::uint64_t> number_;
  std::vector<const Stack*> order_;
};

void write_case(JsonWriter& json, const model::ChannelCase& one) {
  json.begin_object();
  json.member("direction", word(one.direction));
  json.member("channel", to_hex(one.channel.address));
  json.member_if("element_type", one.channel.element_type);
  json.member("length", one.channel.length);
  json.member("capacity", one.channel.capacity);
  json.member_if("closed", one.channel.closed);
  json.member_if("timer", one.channel.timer);
  json.end_object();
}

void write_blocking(JsonWriter& json, const Blocking& blocked) {
  json.begin_object();
  json.member("kind", model::to_string(blocked.kind));
  json.member("text", model::describe(blocked));
  if (!blocked.cases.empty()) {
    json.key("cases");
    json.begin_array();
    for (const model::ChannelCase& one : blocked.cases) write_case(json, one);
    json.end_array();
  }
  if (blocked.object) json.member("object", to_hex(blocked.object));
  if (blocked.fd) json.member("fd", *blocked.fd);
  json.member_if("fd_target", blocked.fd_target);
  if (blocked.io_direction)
    json.member("io_direction", *blocked.io_direction == model::Direction::send ? "write" : "read");
  if (blocked.wakes_in) json.member("wakes_in_ns", blocked.wakes_in->value);
  json.member_if("unknown_why", blocked.unknown_why);
  json.end_object();
}

void write_ancestors(JsonWriter& json, const Goroutine& goroutine) {
  json.key("ancestors");
  json.begin_array();
  for (const model::Ancestor& ancestor : goroutine.ancestors) {
    json.begin_object();
    json.member("id", ancestor.id.value);
    json.key("stack");
    write_stack(json, ancestor.stack);
    json.end_object();
  }
  json.end_array();
}

void write_goroutine(JsonWriter& json, const Goroutine& goroutine, const StackNumbers& stacks) {
  json.begin_object();
  json.member("id", goroutine.id.value);
  json.member("status", model::to_string(goroutine.status));
  json.member_if("wait_reason", goroutine.wait_reason);
  if (goroutine.waiting_at_least)
    json.member("waiting_at_least_ns", goroutine.waiting_at_least->value);
  if (goroutine.stack) json.member("stack", stacks.of(goroutine));
  json.member_if("stack_truncated", goroutine.stack_truncated);
  if (!goroutine.created.function.empty()) {
    json.key("created");
    write_created(json, goroutine.created);
  }
  json.member_if("start_function", goroutine.start_function);
  if (!goroutine.ancestors.empty()) write_ancestors(json, goroutine);
  if (!goroutine.labels.empty()) {
    json.key("labels");
    write_labels(json, goroutine);
  }
  json.member_if("locked_to_thread", goroutine.locked_to_thread);
  json.member_if("system", goroutine.system);
  if (goroutine.thread) json.member("thread", *goroutine.thread);
  if (goroutine.synctest_bubble) json.member("synctest_bubble", *goroutine.synctest_bubble);
  if (goroutine.g) json.member("g", to_hex(goroutine.g));
  if (goroutine.blocked_on) {
    json.key("blocked_on");
    write_blocking(json, *goroutine.blocked_on);
  }
  json.end_object();
}

}  // namespace

std::string render_snapshot_json(const Snapshot& snapshot) {
  const StackNumbers stacks(snapshot);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.dump/1");
  json.key("source");
  write_source(json, snapshot.source);
  json.member("consistent", snapshot.consistent);
  json.member("partial", snapshot.partial);
  if (snapshot.stopped) json.member("stopped_ns", snapshot.stopped->value);
  json.key("stacks");
  json.begin_array();
  for (const Stack* stack : stacks.order()) write_stack(json, *stack);
  json.end_array();
  json.key("goroutines");
  json.begin_array();
  for (const Goroutine& goroutine : snapshot.goroutines) write_goroutine(json, goroutine, stacks);
  json.end_array();
  json.key("notes");
  write_notes(json, snapshot.notes);
  json.end_object();
  out += '\n';
  return out;
}

}  // namespace weir::report
