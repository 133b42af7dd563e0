// The first line of a goroutine: runtime.goroutineheader, src/runtime/traceback.go.
#include <array>

#include "weir/dump/goroutine_text.h"
#include "weir/dump/text.h"

namespace weir::dump {

namespace {

/// " gp=0xc000002380 m=3 mp=0xc000045008", all of it optional.
bool take_pointers(std::string_view& rest, Header& header) {
  if (!take_prefix(rest, " gp=")) return true;
  const auto gp = take_hex(rest);
  if (!gp) return false;
  header.gp = Address{*gp};
  if (take_prefix(rest, " m=nil")) return true;
  if (!take_prefix(rest, " m=")) return false;
  header.m = take_number<std::int64_t>(rest);
  if (!header.m || !take_prefix(rest, " mp=")) return false;
  const auto mp = take_hex(rest);
  if (!mp) return false;
  header.mp = Address{*mp};
  return true;
}

/// The size of the labels at the beginning of `text` up to and including the closing brace; npos if
/// there is none. Quotes hide braces.
std::size_t find_labels_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '}' && !quoted) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// `text` is "{…}" and what follows; keeps what is between the braces.
bool take_labels(std::string_view& text, Header& header) {
  const auto size = find_labels_end(text);
  if (size == std::string_view::npos || size < 2) return false;
  header.labels = text.substr(1, size - 2);
  text.remove_prefix(size);
  return true;
}

/// The state and the marks behind it: "chan receive (leaked) (scan) (durable)".
void set_state(std::string_view text, Header& header) {
  header.state_text = text;
  while (true) {
    if (take_suffix(text, " (durable)") || take_suffix(text, " (synctest)")) {
      header.durable = true;
    } else if (take_suffix(text, " (scan)")) {
      header.scanning = true;
    } else if (take_suffix(text, " (leaked)")) {
      header.leaked = true;
    } else {
      break;
    }
  }
  header.state = text;
}

/// One of the things between commas. Unknown ones are passed over: a later Go may add some.
void take_detail(std::string_view detail, Header& header) {
  if (detail == "locked to thread") {
    header.locked_to_thread = true;
    return;
  }
  if (take_prefix(detail, "synctest bubble ") || take_prefix(detail, "synctest group ")) {
    header.bubble = take_number<std::uint64_t>(detail);
    return;
  }
  if (take_suffix(detail, " minutes")) header.minutes = take_number<std::uint64_t>(detail);
}

/// What is between the brackets, the labels of Go 1.26 (" labels:{…}") already cut off.
void take_brackets(std::string_view text, Header& header) {
  auto comma = text.find(", ");
  set_state(text.substr(0, comma), header);
  while (comma != std::string_view::npos) {
    text.remove_prefix(comma + 2);
    comma = text.find(", ");
    take_detail(text.substr(0, comma), header);
  }
}

std::optional<std::string> take_label_word(std::string_view& text) {
  if (text.starts_with('"')) return take_quoted(text);
  const auto end = text.find_first_of(":,");
  std::string word(text.substr(0, end));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<Header> parse_header(std::string_view line) {
  Header header;
  if (!take_prefix(line, "goroutine ") || line.empty() || line.front() == '-') return {};
  const auto id = take_number<std::uint64_t>(line);
  if (!id) return {};
  header.id = Goid{*id};
  if (!take_pointers(line, header) || !take_prefix(line, " [")) return {};
  // Labels may hold brackets, so those of Go 1.26 are looked for before the closing one.
  const auto bracket = line.find(']');
  if (bracket == std::string_view::npos || bracket == 0) return {};
  constexpr std::string_view inner_labels = " labels:{";
  if (const auto labels = line.find(inner_labels); labels < bracket) {
    take_brackets(line.substr(0, labels), header);
    line.remove_prefix(labels + inner_labels.size() - 1);
    if (!take_labels(line, header) || !take_prefix(line, "]")) return {};
  } else {
    take_brackets(line.substr(0, bracket), header);
    line.remove_prefix(bracket + 1);
    if (take_prefix(line, " ") && !take_labels(line, header)) return {};
  }
  if (line != ":") return {};
  return header;
}

std::vector<std::pair<std::string, std::string>> parse_labels(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> labels;
  while (!text.empty()) {
    auto key = take_label_word(text);
    if (!key || !take_prefix(text, ":")) break;
    take_prefix(text, " ");
    auto value = take_label_word(text);
    if (!value) break;
    labels.emplace_back(*std::move(key), *std::move(value));
    if (!take_prefix(text, ", ")) break;
  }
  return labels;
}

}  // namespace weir::dump
