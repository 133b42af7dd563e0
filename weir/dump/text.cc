#include "weir/dump/text.h"

namespace weir::dump {

namespace {

void append_utf8(std::string& out, std::uint32_t rune) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80u | ((rune >> shift) & 0x3fu)));
  };
  if (rune < 0x80) {
    out.push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out.push_back(static_cast<char>(0xc0u | (rune >> 6)));
    tail(0);
  } else if (rune < 0x10000) {
    out.push_back(static_cast<char>(0xe0u | (rune >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0u | ((rune >> 18) & 7u)));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The value of exactly `digits` hex digits at the beginning of `text`.
std::optional<std::uint32_t> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return {};
  std::string_view head = text.substr(0, digits);
  const auto value = take_number<std::uint32_t>(head, 16);
  if (!value || !head.empty()) return {};
  text.remove_prefix(digits);
  return value;
}

/// What follows a backslash. False for an escape that Go does not write.
bool take_escape(std::string_view& text, std::string& out) {
  if (text.empty()) return false;
  const char kind = text.front();
  text.remove_prefix(1);
  constexpr std::string_view letters = "abfnrtv\\\"'";
  constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"'";
  if (const auto at = letters.find(kind); at != std::string_view::npos) {
    out.push_back(meanings[at]);
    return true;
  }
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  if (digits == 0) return false;
  const auto value = take_digits(text, digits);
  if (!value) return false;
  if (kind == 'x') {
    out.push_back(static_cast<char>(*value));
  } else {
    append_utf8(out, *value);
  }
  return true;
}

}  // namespace

std::optional<std::string> take_quoted(std::string_view& text) {
  std::string_view rest = text;
  if (!take_prefix(rest, "\"")) return {};
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') {
      text = rest;
      return out;
    }
    if (c != '\\') {
      out.push_back(c);
    } else if (!take_escape(rest, out)) {
      return {};
    }
  }
  return {};
}

}  // namespace weir::dump
