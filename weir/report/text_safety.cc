#include "weir/report/text_safety.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace weir::report {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

bool is_plain_ascii(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}

/// Whether the sequence only changes the direction of what follows, which can make a line read as
/// another than it is (CVE-2021-42574).
bool is_bidi_control(std::string_view sequence) {
  constexpr std::string_view controls[] = {"\u061c", "\u200e", "\u200f", "\u202a",
                                           "\u202b", "\u202c", "\u202d", "\u202e",
                                           "\u2066", "\u2067", "\u2068", "\u2069"};
  return std::find(std::begin(controls), std::end(controls), sequence) != std::end(controls);
}

/// The code point of a valid sequence of two or three bytes.
unsigned code_point(std::string_view sequence) {
  unsigned point = byte_at(sequence, 0) & (sequence.size() == 2 ? 0x1f : 0x0f);
  for (std::size_t i = 1; i < sequence.size(); ++i)
    point = point << 6 | (byte_at(sequence, i) & 0x3f);
  return point;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  // The second byte's range is narrower after some first bytes (Unicode, table 3-7).
  const std::uint8_t second = byte_at(text, 1);
  const std::uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

void append_utf8(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length == 0 ? replacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

std::string printable(std::string_view text) {
  if (is_plain_ascii(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::uint8_t first = byte_at(text, 0);
    // C1 controls (U+0080 to U+009f) move cursors in some terminals too.
    const bool c1 = length == 2 && first == 0xc2 && byte_at(text, 1) < 0xa0;
    if (length == 0) {
      out += replacement;
    } else if (length == 1 && (first < 0x20 || first == 0x7f)) {
      out += fmt::format("\\x{:02x}", first);
    } else if (c1) {
      out += fmt::format("\\x{:02x}", byte_at(text, 1));
    } else if (const auto sequence = text.substr(0, length); is_bidi_control(sequence)) {
      out += fmt::format("\\u{:04x}", code_point(sequence));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string script_safe(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace weir::report
