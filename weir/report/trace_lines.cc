#include <fmt/format.h>

#include "weir/report/json_writer.h"
#include "weir/report/trace_more.h"

namespace weir::report {
namespace {

constexpr std::size_t enough = 64 << 10;

std::string csv_field(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

TraceLines::TraceLines(const model::TraceNames& names, Form form,
                       std::function<void(std::string_view)> write)
    : names_(names), form_(form), write_(std::move(write)) {
  if (form_ == Form::csv)
    text_ =
        "kind,goroutine,begin_ns,end_ns,duration_ns,proc,waker,open,region,task,function,place\n";
}

void TraceLines::add_csv(const model::TraceInterval& interval) {
  const auto frames = names_.stack(interval.stack);
  const bool any = !frames.empty();
  const std::string place =
      any ? fmt::format("{}:{}", names_.file(frames[0]), names_.frames[frames[0]].line) : "";
  text_ += fmt::format(
      "{},{},{},{},{},{},{},{},{},{},{},{}\n", to_string(interval.kind), interval.goroutine,
      interval.begin, interval.end, interval.duration(),
      interval.proc == model::no_trace_proc ? "" : std::to_string(interval.proc),
      interval.waker == 0 ? "" : std::to_string(interval.waker), interval.open ? 1 : 0,
      csv_field(names_.strings[interval.region]), csv_field(names_.strings[interval.task]),
      csv_field(any ? names_.function(frames[0]) : std::string()), csv_field(place));
}

void TraceLines::add_json(const model::TraceInterval& interval) {
  JsonWriter json(text_);
  json.begin_object();
  json.member("kind", to_string(interval.kind));
  json.member("goroutine", interval.goroutine);
  json.member("begin_ns", interval.begin);
  json.member("end_ns", interval.end);
  if (interval.proc != model::no_trace_proc)
    json.member("proc", static_cast<std::uint64_t>(interval.proc));
  if (interval.waker != 0) json.member("waker", interval.waker);
  json.member_if("open", interval.open);
  json.member_if("from_start", interval.from_start);
  json.member_if("region", names_.strings[interval.region]);
  json.member_if("task", names_.strings[interval.task]);
  json.key("stack");
  json.begin_array();
  for (const std::uint32_t frame : names_.stack(interval.stack))
    json.value(fmt::format("{} {}:{}", names_.function(frame), names_.file(frame),
                           names_.frames[frame].line));
  json.end_array();
  json.end_object();
  text_ += '\n';
}

void TraceLines::take(const model::TraceInterval& interval) {
  if (form_ == Form::csv)
    add_csv(interval);
  else
    add_json(interval);
  if (text_.size() >= enough) finish();
}

void TraceLines::finish() {
  write_(text_);
  text_.clear();
}

}  // namespace weir::report
