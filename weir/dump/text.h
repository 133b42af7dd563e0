#pragma once
// Small pieces of text that the parts of the goroutine text grammar share. Internal to dump.
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace weir::dump {

inline bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

inline bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// A number in `base` at the beginning of `text`, which moves behind it. Nothing, and `text` as it
/// was, when there is none or it does not fit.
template <class T>
std::optional<T> take_number(std::string_view& text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// "0x1f" likewise.
inline std::optional<std::uint64_t> take_hex(std::string_view& text) {
  std::string_view rest = text;
  if (!take_prefix(rest, "0x")) return {};
  const auto value = take_number<std::uint64_t>(rest, 16);
  if (value) text = rest;
  return value;
}

/// Cuts the line at the beginning of `text`, without its end (LF or CRLF).
inline std::string_view take_line(std::string_view& text) {
  const void* found = std::memchr(text.data(), '\n', text.size());
  const std::size_t size =
      found == nullptr ? text.size()
                       : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  std::string_view line = text.substr(0, size);
  text.remove_prefix(found == nullptr ? size : size + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

/// A Go string literal with double quotes at the beginning of `text`, unescaped; `text` moves
/// behind it. Understands what %q and the runtime's printquoted write.
std::optional<std::string> take_quoted(std::string_view& text);

}  // namespace weir::dump
