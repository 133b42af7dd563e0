#include "weir/report/trace_perfetto.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/model/goname.h"
#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

constexpr std::size_t enough = 64 << 10;

// Field numbers of perfetto.protos.
namespace trace {
constexpr unsigned packet = 1;
}
namespace trace_packet {
constexpr unsigned timestamp = 8, trusted_packet_sequence_id = 10, track_event = 11,
                   track_descriptor = 60;
}
namespace track_descriptor {
constexpr unsigned uuid = 1, name = 2, process = 3, parent_uuid = 5;
}
namespace process_descriptor {
constexpr unsigned pid = 1, process_name = 6;
}
namespace track_event {
constexpr unsigned type = 9, track_uuid = 11, categories = 22, name = 23;
constexpr std::uint64_t slice_begin = 1, slice_end = 2;
}  // namespace track_event

constexpr std::uint64_t procs_process = 1, goroutines_process = 2;
constexpr std::uint64_t proc_tracks = std::uint64_t{1} << 62;
constexpr std::uint64_t goroutine_tracks = std::uint64_t{1} << 63;
constexpr std::uint64_t sequence = 1;

void add_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(0x80 | (value & 0x7f));
  to += static_cast<char>(value);
}
void add_number(std::string& to, unsigned field, std::uint64_t value) {
  add_varint(to, std::uint64_t{field} << 3);
  add_varint(to, value);
}
void add_bytes(std::string& to, unsigned field, std::string_view value) {
  add_varint(to, (std::uint64_t{field} << 3) | 2);
  add_varint(to, value.size());
  to += value;
}
void add_text(std::string& to, unsigned field, std::string_view value) {
  std::string valid;
  append_utf8(valid, value);
  add_bytes(to, field, valid);
}

}  // namespace

TracePerfetto::TracePerfetto(const model::TraceNames& names,
                             std::function<void(std::string_view)> write)
    : names_(names), write_(std::move(write)) {
  for (const auto& [id, name] :
       {std::pair(procs_process, "Ps"), std::pair(goroutines_process, "goroutines")}) {
    std::string process, descriptor, packet;
    add_number(process, process_descriptor::pid, id);
    add_text(process, process_descriptor::process_name, name);
    add_number(descriptor, track_descriptor::uuid, id);
    add_bytes(descriptor, track_descriptor::process, process);
    add_bytes(packet, trace_packet::track_descriptor, descriptor);
    add_packet(packet);
  }
}

void TracePerfetto::add_packet(std::string_view body) {
  std::string packet(body);
  add_number(packet, trace_packet::trusted_packet_sequence_id, sequence);
  add_bytes(text_, trace::packet, packet);
}

void TracePerfetto::add_track(std::uint64_t id, std::uint64_t parent, const std::string& name) {
  std::string descriptor, packet;
  add_number(descriptor, track_descriptor::uuid, id);
  add_text(descriptor, track_descriptor::name, name);
  add_number(descriptor, track_descriptor::parent_uuid, parent);
  add_bytes(packet, trace_packet::track_descriptor, descriptor);
  add_packet(packet);
}

std::uint64_t TracePerfetto::proc_track(std::uint32_t proc) {
  const std::uint64_t id = proc_tracks | proc;
  if (tracks_.insert(id).second) add_track(id, procs_process, fmt::format("P{}", proc));
  return id;
}

std::uint64_t TracePerfetto::goroutine_track(const model::TraceInterval& interval) {
  const std::uint64_t id = goroutine_tracks | interval.goroutine;
  if (tracks_.insert(id).second)
    add_track(id, goroutines_process,
              fmt::format("goroutine {} {}", interval.goroutine, name_of(interval)));
  return id;
}

std::string TracePerfetto::name_of(const model::TraceInterval& interval) const {
  const auto frames = names_.stack(interval.start_stack);
  return frames.empty() ? std::string() : model::name_in_traceback(names_.function(frames.back()));
}

void TracePerfetto::add_slice(std::uint64_t track, const std::string& name,
                              std::string_view category, const model::TraceInterval& interval) {
  std::string event, packet;
  add_number(event, track_event::type, track_event::slice_begin);
  add_number(event, track_event::track_uuid, track);
  add_text(event, track_event::categories, category);
  add_text(event, track_event::name, name);
  add_number(packet, trace_packet::timestamp,
             static_cast<std::uint64_t>(std::max<std::int64_t>(interval.begin, 0)));
  add_bytes(packet, trace_packet::track_event, event);
  add_packet(packet);
  event.clear();
  packet.clear();
  add_number(event, track_event::type, track_event::slice_end);
  add_number(event, track_event::track_uuid, track);
  add_number(packet, trace_packet::timestamp,
             static_cast<std::uint64_t>(std::max<std::int64_t>(interval.end, 0)));
  add_bytes(packet, trace_packet::track_event, event);
  add_packet(packet);
}

void TracePerfetto::take(const model::TraceInterval& interval) {
  if (interval.kind == model::TraceKind::gc_assist) return;
  const std::string kind(to_string(interval.kind));
  const auto frames = names_.stack(interval.stack);
  const std::string where =
      frames.empty() || interval.kind == model::TraceKind::running
          ? kind
          : kind + " " + model::name_in_traceback(names_.function(frames.front()));
  add_slice(goroutine_track(interval), where, kind, interval);
  if (interval.kind == model::TraceKind::running && interval.proc != model::no_trace_proc)
    add_slice(proc_track(interval.proc),
              fmt::format("goroutine {} {}", interval.goroutine, name_of(interval)), kind,
              interval);
  if (text_.size() >= enough) finish();
}

void TracePerfetto::finish() {
  write_(text_);
  text_.clear();
}

}  // namespace weir::report
