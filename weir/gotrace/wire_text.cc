#include "weir/gotrace/wire_text.h"

#include <fmt/format.h>

#include <iterator>

#include "weir/gotrace/batch.h"

namespace weir::gotrace {
namespace {

constexpr std::size_t piece = 64 << 10;

/// strconv.Quote, but for characters outside ASCII that do not print.
void quote(std::string_view text, fmt::memory_buffer& out) {
  constexpr std::string_view letters = "abtnvfr";  // of the bytes 7 to 13
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') out.push_back('\\');
    if (byte >= 7 && byte <= 13) {
      out.push_back('\\');
      out.push_back(letters[byte - 7u]);
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

class WireText {
 public:
  WireText(bytes::Bytes file, const std::function<void(std::string_view)>& to)
      : begin_(reader_of(file).at), reader_(reader_of(file.subspan(Header::size))), to_(to) {}

  Result<void> write() {
    while (reader_.left() != 0) {
      const auto offset = static_cast<std::uint64_t>(reader_.at - begin_);
      const std::uint8_t type = *reader_.at++;
      const EventSpec* spec = find_spec(type);
      const std::size_t before = text_.size();
      if (spec == nullptr || !event(static_cast<EventType>(type), *spec)) {
        text_.resize(before);
        flush();
        return spec == nullptr
                   ? fail(ErrorCode::invalid, fmt::format("no event has the number {}", type),
                          FileOffset{offset})
                   : fail(ErrorCode::invalid,
                          fmt::format("an event ({}) is cut or damaged", spec->name),
                          FileOffset{offset});
      }
      text_.push_back('\n');
      if (text_.size() >= piece) flush();
    }
    flush();
    return {};
  }

 private:
  bool event(EventType type, const EventSpec& spec) {
    text_.append(spec.name);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < spec.argument_count; ++i)
      if (!argument(" ", spec.arguments[i], value)) return false;
    if (type == EventType::stack) return frames(value);
    return (type != EventType::string && type != EventType::experimental_batch) || data();
  }

  bool argument(std::string_view before, std::string_view name, std::uint64_t& value) {
    if (!reader_.read(value)) return false;
    fmt::format_to(std::back_inserter(text_), "{}{}={}", before, name, value);
    return true;
  }

  bool frames(std::uint64_t count) {
    std::uint64_t value = 0;
    if (count > most_frames) return false;
    for (std::uint64_t i = 0; i < count; ++i)
      if (!argument("\n\t", "pc", value) || !argument(" ", "func", value) ||
          !argument(" ", "file", value) || !argument(" ", "line", value))
        return false;
    return true;
  }

  bool data() {
    std::uint64_t size = 0;
    if (!reader_.read(size) || size > reader_.left() || size > largest_batch) return false;
    text_.append(std::string_view("\n\tdata="));
    quote({reinterpret_cast<const char*>(reader_.at), static_cast<std::size_t>(size)}, text_);
    reader_.at += size;
    return true;
  }

  void flush() {
    to_({text_.data(), text_.size()});
    text_.clear();
  }

  const std::uint8_t* begin_;
  VarintReader reader_;
  const std::function<void(std::string_view)>& to_;
  fmt::memory_buffer text_;
};

}  // namespace

Result<void> write_wire_text(bytes::Bytes file, const std::function<void(std::string_view)>& to) {
  WEIR_TRY(const Header header, parse_header(file));
  if (!header.second)
    return fail(ErrorCode::unsupported,
                "the events of a trace from before Go 1.22 can't be shown as they stand");
  return WireText(file, to).write();
}

}  // namespace weir::gotrace
