#pragma once
// Writes a parsed goroutine back as Go's text, so that tests can show that a real dump was
// understood to the last byte. Independent of weir's own output.
#include <fmt/format.h>

#include <string>

#include "weir/dump/goroutine_text.h"

namespace weir::test_support {

inline std::string render_place(std::string_view file, std::int32_t line,
                                std::optional<std::uint64_t> offset) {
  std::string text = fmt::format("\t{}:{}", file, line);
  if (offset) text += fmt::format(" +{:#x}", *offset);
  return text;
}

inline std::string render_frame(const dump::Frame& frame) {
  if (frame.foreign) {
    if (frame.file.empty()) return fmt::format("{}\n\tpc={:#x}\n", frame.function, frame.pc.value);
    return fmt::format("{}\n\t{}:{} pc={:#x}\n", frame.function, frame.file, frame.line,
                       frame.pc.value);
  }
  std::string text = fmt::format("{}({})\n{}", frame.function, frame.args,
                                 render_place(frame.file, frame.line, frame.offset));
  if (frame.pc)
    text +=
        fmt::format(" fp={:#x} sp={:#x} pc={:#x}", frame.fp.value, frame.sp.value, frame.pc.value);
  return text + "\n";
}

inline std::string render_creator(const dump::Creator& creator) {
  if (creator.function.empty()) return "";
  std::string text = fmt::format("created by {}", creator.function);
  if (creator.by.value != 0) text += fmt::format(" in goroutine {}", creator.by.value);
  return text + "\n" + render_place(creator.file, creator.line, creator.offset) + "\n";
}

inline std::string render_header(const dump::Header& header) {
  std::string text = fmt::format("goroutine {}", header.id.value);
  if (header.gp) {
    text += fmt::format(" gp={:#x}", header.gp.value);
    text += header.m ? fmt::format(" m={} mp={:#x}", *header.m, header.mp.value) : " m=nil";
  }
  text += fmt::format(" [{}", header.state_text);
  if (header.minutes) text += fmt::format(", {} minutes", *header.minutes);
  if (header.locked_to_thread) text += ", locked to thread";
  if (header.bubble) text += fmt::format(", synctest bubble {}", *header.bubble);
  text += "]";
  if (!header.labels.empty()) text += fmt::format(" {{{}}}", header.labels);
  return text + ":\n";
}

/// Header, frames, creator and ancestors, as Go ≥ 1.21 prints them. (Go 1.24's "synctest group" and
/// Go 1.26's inner labels come out in the later form.)
inline std::string render_goroutine(const dump::Header& header, const dump::Stack& stack) {
  std::string text = render_header(header);
  if (stack.unavailable) text += "\tgoroutine running on other thread; stack unavailable\n";
  for (std::size_t i = 0; i <= stack.frames.size(); ++i) {
    if (stack.elided && stack.elided->position == i)
      text += stack.elided->count ? fmt::format("...{} frames elided...\n", *stack.elided->count)
                                  : "...additional frames elided...\n";
    if (i < stack.frames.size()) text += render_frame(stack.frames[i]);
  }
  text += render_creator(stack.created);
  for (const auto& ancestor : stack.ancestors) {
    text += fmt::format("[originating from goroutine {}]:\n", ancestor.id.value);
    for (const auto& frame : ancestor.frames) text += render_frame(frame);
    if (ancestor.elided) text += "...additional frames elided...\n";
    text += render_creator(ancestor.created);
  }
  return text;
}

}  // namespace weir::test_support
