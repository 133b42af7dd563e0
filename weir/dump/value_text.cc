#include "weir/dump/value_text.h"

#include <fmt/format.h>

#include "weir/dump/frame_line.h"
#include "weir/dump/text.h"

namespace weir::dump {

namespace {

constexpr std::string_view heap_mark = "heap profile: ";
constexpr std::string_view contention_marks[] = {"--- mutex:", "--- contention:"};

bool take_value(std::string_view& line, std::int64_t& value) {
  while (take_prefix(line, " ")) {
  }
  const auto number = take_number<std::int64_t>(line);
  if (number) value = *number;
  return number.has_value();
}

/// "1: 1024 [2: 2048] @".
bool take_heap_values(std::string_view& line, std::array<std::int64_t, 4>& values) {
  return take_value(line, values[0]) && take_prefix(line, ":") && take_value(line, values[1]) &&
         take_prefix(line, " [") && take_value(line, values[2]) && take_prefix(line, ":") &&
         take_value(line, values[3]) && take_prefix(line, "] @");
}

bool take_pcs(std::string_view line, std::vector<Address>& pcs) {
  while (take_prefix(line, " ")) {
    if (line.empty()) break;
    const auto pc = take_hex(line);
    if (!pc) return false;
    if (pcs.size() < max_profile_depth) pcs.push_back(Address{*pc});
  }
  return line.empty();
}

/// "heap profile: 1: 1024 [2: 2048] @ heap/1048576": twice the rate.
bool parse_heap_title(std::string_view line, ValueTitle& title) {
  std::array<std::int64_t, 4> totals{};
  if (!take_prefix(line, heap_mark) || !take_heap_values(line, totals)) return false;
  title.is_heap = true;
  if (take_prefix(line, " heap/")) {
    std::int64_t twice = 0;
    if (!take_value(line, twice) || !line.empty()) return false;
    title.rate = twice / 2;
  }
  return true;
}

/// "cycles/second=2000000000". False if it is none of Go's.
bool parse_attribute(std::string_view line, ValueTitle& title) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = line.substr(0, equals);
  std::string_view number = line.substr(equals + 1);
  if (key == "cycles/second") return take_value(number, title.cycles_per_second);
  if (key == "sampling period") return take_value(number, title.period);
  return false;
}

bool parse_record(std::string_view line, bool is_heap, ValueRecord& record) {
  record = {};
  const bool values = is_heap ? take_heap_values(line, record.values)
                              : take_value(line, record.values[0]) &&
                                    take_value(line, record.values[1]) && take_prefix(line, " @");
  return values && take_pcs(line, record.pcs);
}

bool is_contention(std::string_view line) {
  return line.starts_with(contention_marks[0]) || line.starts_with(contention_marks[1]);
}

Error bad_line(std::size_t number, std::string_view what) {
  return {ErrorCode::invalid,
          fmt::format("line {} of the profile's text is {}", number, what),
          {},
          0,
          {}};
}

}  // namespace

bool looks_like_values(std::string_view head) {
  return head.starts_with(heap_mark) || is_contention(head);
}

Result<ValueTitle> parse_values(std::string_view text,
                                const std::function<void(const ValueRecord&)>& sink) {
  ValueTitle title;
  const std::string_view first = take_line(text);
  if (!is_contention(first) && !parse_heap_title(first, title))
    return fail(bad_line(1, "no title of a heap, mutex or block profile"));
  ValueRecord record;
  bool open = false;
  for (std::size_t number = 2; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.starts_with('#')) {
      const auto frame = open ? parse_frame_line(line) : std::nullopt;
      if (frame && record.frames.size() < max_profile_depth) record.frames.push_back(*frame);
      continue;
    }
    if (line.empty()) continue;
    if (open) sink(record);
    open = false;
    if (!title.is_heap && line.find('=') != std::string_view::npos) {
      if (!parse_attribute(line, title)) return fail(bad_line(number, "no attribute of Go's"));
      continue;
    }
    if (!parse_record(line, title.is_heap, record))
      return fail(bad_line(number, "neither a record nor a comment"));
    open = true;
  }
  if (open) sink(record);
  return title;
}

}  // namespace weir::dump
