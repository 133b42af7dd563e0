#include "weir/ingest/trace_events.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "weir/gotrace/reader.h"
#include "weir/gotrace/wire_text.h"
#include "weir/ingest/trace_file.h"

namespace weir::ingest {
namespace {

using gotrace::Event;
using gotrace::EventType;

bool gives_a_slot_its_goroutine(EventType type) {
  switch (type) {
    case EventType::go_create:
    case EventType::go_create_syscall:
    case EventType::go_create_blocked:
    case EventType::go_status:
    case EventType::go_status_stack:
      return true;
    default:
      return false;
  }
}

class EventLines : public gotrace::EventSink {
 public:
  EventLines(const gotrace::Dictionary& names, const std::function<void(std::string_view)>& to)
      : names_(names), to_(to) {}

  void take(std::span<const Event> events) override {
    for (const Event& event : events) line(event);
    to_({text_.data(), text_.size()});
    text_.clear();
  }

 private:
  template <class... T>
  void print(fmt::format_string<T...> form, T&&... values) {
    fmt::format_to(std::back_inserter(text_), form, std::forward<T>(values)...);
  }

  void line(const Event& event) {
    if (event.slot != gotrace::no_slot && gives_a_slot_its_goroutine(event.type)) {
      if (event.slot >= goroutines_.size()) goroutines_.resize(event.slot + std::size_t{1});
      goroutines_[event.slot] = event.a;
    }
    const auto* const spec = gotrace::find_spec(static_cast<std::uint8_t>(event.type));
    print("{} {}", event.time, spec != nullptr ? spec->name : "?");
    if (event.proc != gotrace::no_proc) print(" p={}", event.proc);
    if (event.actor < goroutines_.size()) print(" g={}", goroutines_[event.actor]);
    if (event.slot < goroutines_.size() && event.slot != event.actor)
      print(" goroutine={}", goroutines_[event.slot]);
    if (event.text != 0) print(" \"{}\"", names_.string(event.text));
    if (event.text2 != 0) print(" \"{}\"", names_.string(event.text2));
    const char* before = " stack=";
    for (const std::uint32_t frame : names_.stack(event.stack)) {
      print("{}{}:{}", before, names_.string(names_.frame(frame).function),
            names_.frame(frame).line);
      before = " < ";
    }
    text_.push_back('\n');
  }

  const gotrace::Dictionary& names_;
  const std::function<void(std::string_view)>& to_;
  std::vector<std::uint64_t> goroutines_;  // ids, by slot
  fmt::memory_buffer text_;
};

}  // namespace

Result<void> write_wire_events(const std::string& name, const TraceOptions& options,
                               const std::function<void(std::string_view)>& to) {
  WEIR_TRY(const bytes::MappedFile file, open_trace(name, options));
  auto written = gotrace::write_wire_text(file.bytes(), to);
  if (!written) return fail(std::move(written).error().with(shown_name(name)));
  return {};
}

Result<Notes> write_parsed_events(const std::string& name, const TraceOptions& options,
                                  const std::function<void(std::string_view)>& to) {
  WEIR_TRY(const bytes::MappedFile file, open_trace(name, options));
  gotrace::Dictionary dictionary;
  EventLines lines(dictionary, to);
  Notes notes;
  auto facts = gotrace::read_trace(file.bytes(), dictionary, lines, {}, notes);
  if (!facts) return fail(std::move(facts).error().with(shown_name(name)));
  return notes;
}

}  // namespace weir::ingest
