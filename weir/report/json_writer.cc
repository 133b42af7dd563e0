#include "weir/report/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <iterator>

#include "weir/base/assert.h"
#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

/// How many characters from the beginning on may stand in a string as they are. Eight at a time:
/// nearly all text is such.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  const auto zero_in = [](std::uint64_t word) { return (word - ones) & ~word & highs; };
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    const std::uint64_t below_space = (word - ones * 0x20) & ~word & highs;
    if ((below_space | (word & highs) | zero_in(word ^ ones * '"') | zero_in(word ^ ones * '\\')) !=
        0)
      break;
  }
  for (; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
  }
  return i;
}

}  // namespace

void JsonWriter::line_break() {
  if (layout_ == Layout::compact) return;
  out_ += '\n';
  out_.append(levels_.size() * 2, ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (levels_.empty()) return;
  Level& level = levels_.back();
  WEIR_ASSERT(level.kind == '[');
  if (!level.empty) out_ += ',';
  level.empty = false;
  line_break();
}

void JsonWriter::begin(char kind) {
  before_value();
  out_ += kind;
  levels_.push_back({kind});
}

void JsonWriter::end(char kind, char close) {
  WEIR_ASSERT(!levels_.empty() && levels_.back().kind == kind && !after_key_);
  const bool empty = levels_.back().empty;
  levels_.pop_back();
  if (!empty) line_break();
  out_ += close;
}

void JsonWriter::key(std::string_view name) {
  WEIR_ASSERT(!levels_.empty() && levels_.back().kind == '{' && !after_key_);
  Level& level = levels_.back();
  if (!level.empty) out_ += ',';
  level.empty = false;
  line_break();
  quote(name);
  out_ += layout_ == Layout::compact ? ":" : ": ";
  after_key_ = true;
}

void JsonWriter::value(std::string_view text) {
  before_value();
  quote(text);
}

void JsonWriter::value(bool truth) {
  before_value();
  out_ += truth ? "true" : "false";
}

void JsonWriter::value(std::uint64_t number) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

void JsonWriter::value(std::int64_t number) {
  before_value();
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

void JsonWriter::value(double number) {
  before_value();
  out_ += std::isfinite(number) ? fmt::format("{}", number) : "null";
}

void JsonWriter::quote(std::string_view text) {
  out_ += '"';
  std::size_t begin = 0;  // of the run of characters that need nothing
  std::size_t i = 0;
  while (i < text.size()) {
    i += plain_prefix(text.substr(i));
    if (i == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text.substr(i));
    if (length > 1) {
      i += length;
      continue;
    }
    out_.append(text, begin, i - begin);
    if (byte == '"' || byte == '\\') {
      (out_ += '\\') += text[i];
    } else if (byte == '\n') {
      out_ += "\\n";
    } else if (byte == '\t') {
      out_ += "\\t";
    } else if (byte < 0x20) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
    } else {
      out_ += "\\ufffd";
    }
    begin = ++i;
  }
  out_.append(text, begin, text.size() - begin);
  out_ += '"';
}

}  // namespace weir::report
