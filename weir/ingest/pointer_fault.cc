#include "weir/ingest/pointer_fault.h"

#include <charconv>

namespace weir::ingest {
namespace {

constexpr std::string_view start = "fatal error: ";
constexpr std::size_t most_frames = 100;  // a traceback has no more

/// "\t/src/a.go:12 +0x1d".
model::CodePlace place_of(std::string function, std::string_view text) {
  model::CodePlace place{std::move(function), {}, 0};
  text.remove_prefix(text.find_first_not_of(" \t") == std::string_view::npos
                         ? text.size()
                         : text.find_first_not_of(" \t"));
  text = text.substr(0, text.rfind(" +0x"));
  const auto colon = text.rfind(':');
  place.file = text.substr(0, colon);
  if (colon != std::string_view::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), place.line);
  return place;
}

}  // namespace

void PointerFaultReader::line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  switch (at_) {
    case At::before:
      if (!line.starts_with(start) || !line.substr(start.size()).starts_with("checkptr")) return;
      fault_.emplace().message = line.substr(start.size());
      at_ = At::goroutine;
      return;
    case At::goroutine:
      if (line.starts_with("goroutine ")) at_ = At::frames;
      return;
    case At::frames:
      if (line.empty() || line.starts_with("created by ") || fault_->stack.size() == most_frames) {
        at_ = At::done;
        return;
      }
      function_ = line.substr(0, line.rfind('('));
      at_ = At::place;
      return;
    case At::place:
      if (!function_.starts_with("runtime."))
        fault_->stack.push_back(place_of(std::move(function_), line));
      at_ = At::frames;
      return;
    case At::done:
      return;
  }
}

}  // namespace weir::ingest
