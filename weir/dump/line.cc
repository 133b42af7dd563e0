#include "weir/dump/line.h"

#include "weir/dump/text.h"

namespace weir::dump {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trim_left(std::string_view line) {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

/// Cuts " fp=0x… sp=0x… pc=0x…" off the end of `text`.
void take_registers(std::string_view& text, Frame& frame) {
  const auto at = text.rfind(" fp=0x");
  if (at == std::string_view::npos) return;
  std::string_view rest = text.substr(at + 4);
  const auto fp = take_hex(rest);
  if (!fp || !take_prefix(rest, " sp=")) return;
  const auto sp = take_hex(rest);
  if (!sp || !take_prefix(rest, " pc=")) return;
  const auto pc = take_hex(rest);
  if (!pc || !rest.empty()) return;
  frame.fp = Address{*fp};
  frame.sp = Address{*sp};
  frame.pc = Address{*pc};
  text = text.substr(0, at);
}

/// Cuts `mark` and a hex number off the end of `text`: " +0x1d".
std::optional<std::uint64_t> take_hex_suffix(std::string_view& text, std::string_view mark) {
  const auto at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  std::string_view number = text.substr(at + mark.size());
  const auto value = take_hex(number);
  if (!value || !number.empty()) return {};
  text = text.substr(0, at);
  return value;
}

}  // namespace

LineKind classify(std::string_view line) {
  if (line.empty()) return LineKind::blank;
  switch (line.front()) {
    case '\t':
    case ' ': {
      const std::string_view text = trim_left(line);
      if (text.empty()) return LineKind::blank;
      if (text == "goroutine running on other thread; stack unavailable")
        return LineKind::unavailable;
      return measure_location(line).key_size != 0 ? LineKind::location : LineKind::other;
    }
    case '#':
      return LineKind::comment;
    case '[':
      if (line.starts_with("[originating from goroutine ")) return LineKind::originating;
      break;
    case 'c':
      if (line.starts_with("created by ")) return LineKind::created_by;
      break;
    case '.':
      if (line.starts_with("...") && line.ends_with(" frames elided...")) return LineKind::elided;
      break;
    case 'n':
      if (line.starts_with("non-Go function at pc=0x")) return LineKind::foreign;
      break;
    default:
      break;
  }
  const bool call = line.back() == ')' && line.find('(') != std::string_view::npos;
  return call ? LineKind::function : LineKind::other;
}

LocationShape measure_location(std::string_view line) {
  std::size_t number = line.size();
  while (number > 0 && is_hex(line[number - 1])) --number;
  if (number == line.size() || number == 0) return {};
  const std::string_view head = line.substr(0, number);
  if (head.ends_with(" +0x")) return {line.size(), false};
  if (head.back() == ':') {
    for (const char c : line.substr(number))
      if (!is_digit(c)) return {};
    return {line.size(), false};
  }
  if (!head.ends_with("pc=0x")) return {};
  const auto registers = head.rfind(" fp=0x");
  if (registers != std::string_view::npos) return {registers, false};
  const bool alone = head.size() == 5 || is_blank(head[head.size() - 6]);
  return alone ? LocationShape{line.size(), true} : LocationShape{};
}

bool parse_location(std::string_view line, Frame& frame) {
  const LocationShape shape = measure_location(line);
  if (shape.key_size == 0) return false;
  std::string_view text = trim_left(line);
  frame.foreign = shape.foreign;
  if (shape.foreign && text.starts_with("pc=")) {
    text.remove_prefix(3);
    if (const auto pc = take_hex(text)) frame.pc = Address{*pc};
    return true;
  }
  if (shape.foreign) {
    if (const auto pc = take_hex_suffix(text, " pc=")) frame.pc = Address{*pc};
  } else {
    take_registers(text, frame);
    frame.offset = take_hex_suffix(text, " +");
  }
  frame.file = text;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return true;
  std::string_view number = text.substr(colon + 1);
  const auto value = take_number<std::int32_t>(number);
  if (!value || !number.empty()) return true;
  frame.file = text.substr(0, colon);
  frame.line = *value;
  return true;
}

void parse_function(std::string_view line, Frame& frame) {
  frame.function = line;
  frame.args = {};
  if (frame.foreign || line.empty() || line.back() != ')') return;
  // Go's arguments have no parentheses; a function's name may: "main.(*T).run(0x1)".
  const auto open = line.rfind('(');
  if (open == std::string_view::npos) return;
  frame.function = line.substr(0, open);
  frame.args = line.substr(open + 1, line.size() - open - 2);
  frame.inlined = frame.args == "..." && !frame.offset;
}

}  // namespace weir::dump
