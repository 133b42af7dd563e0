#include "weir/dump/count_text.h"

#include <fmt/format.h>

#include <limits>

#include "weir/dump/frame_line.h"
#include "weir/dump/text.h"

namespace weir::dump {

namespace {

/// Profiles count with 64 bits and a sign.
constexpr std::uint64_t most_counted = std::numeric_limits<std::int64_t>::max();

struct Title {
  std::string_view name;
  std::uint64_t total = 0;
};

std::optional<Title> parse_title(std::string_view line) {
  constexpr std::string_view mark = " profile: total ";
  const auto at = line.find(mark);
  if (at == std::string_view::npos || at == 0) return {};
  std::string_view number = line.substr(at + mark.size());
  const auto total = take_number<std::uint64_t>(number);
  if (!total || !number.empty()) return {};
  return Title{line.substr(0, at), *total};
}

/// "3 @ 0x1 0x2". False if the line is something else.
bool parse_record(std::string_view line, CountRecord& record) {
  const auto count = take_number<std::uint64_t>(line);
  if (!count || !take_prefix(line, " @")) return false;
  record.count = *count;
  while (take_prefix(line, " ") && record.pcs.size() < max_profile_depth) {
    const auto pc = take_hex(line);
    if (!pc) return false;
    record.pcs.push_back(Address{*pc});
  }
  return true;
}

/// "# labels: {"k":"v", "l":"w"}".
void parse_label_line(std::string_view line, CountRecord& record) {
  take_prefix(line, "# labels: {");
  while (true) {
    auto key = take_quoted(line);
    if (!key || !take_prefix(line, ":")) return;
    auto value = take_quoted(line);
    if (!value) return;
    record.labels.emplace_back(*std::move(key), *std::move(value));
    if (!take_prefix(line, ", ")) return;
  }
}

}  // namespace

std::optional<CountFrame> parse_frame_line(std::string_view line) {
  if (!take_prefix(line, "#")) return {};
  const auto skip_tabs = [&] {
    while (take_prefix(line, "\t")) {
    }
  };
  skip_tabs();
  const auto pc = take_hex(line);
  if (!pc) return {};
  CountFrame frame;
  frame.pc = Address{*pc};
  skip_tabs();
  if (line.empty()) return frame;
  const std::string_view call = line.substr(0, line.find('\t'));
  line.remove_prefix(call.size());
  skip_tabs();
  const auto plus = call.rfind('+');
  const auto colon = line.rfind(':');
  if (plus == std::string_view::npos || colon == std::string_view::npos) return {};
  std::string_view offset = call.substr(plus + 1);
  std::string_view number = line.substr(colon + 1);
  const auto entry = take_hex(offset);
  const auto at = take_number<std::int32_t>(number);
  if (!entry || !offset.empty() || !at || !number.empty()) return {};
  return CountFrame{Address{*pc}, call.substr(0, plus), *entry, line.substr(0, colon), *at};
}

bool looks_like_counts(std::string_view head) {
  return parse_title(take_line(head)).has_value();
}

Result<CountSummary> parse_counts(std::string_view text,
                                  const std::function<void(const CountRecord&)>& sink) {
  const std::string_view first = take_line(text);
  const auto title = parse_title(first);
  if (!title)
    return fail(ErrorCode::invalid, "the first line is not \"NAME profile: total N\"",
                FileOffset{0});
  CountSummary summary;
  summary.name = title->name;
  summary.total = title->total;
  CountRecord record;
  bool open = false;
  const auto flush = [&] {
    if (open) sink(record);
    open = false;
  };
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with("# labels: {")) {
      if (open) parse_label_line(line, record);
    } else if (line.starts_with('#')) {
      const auto frame = open ? parse_frame_line(line) : std::nullopt;
      if (frame && record.frames.size() < max_profile_depth) record.frames.push_back(*frame);
    } else {
      flush();
      record.pcs.clear();
      record.frames.clear();
      record.labels.clear();
      open = parse_record(line, record);
      if (open && record.count > most_counted - summary.counted)
        return fail(ErrorCode::invalid,
                    fmt::format("the counts add up to more than {}", most_counted));
      if (open) summary.counted += record.count;
    }
  }
  flush();
  if (summary.counted != summary.total)
    summary.notes.add(Severity::loss,
                      fmt::format("the profile says {} but holds {}: text is missing or changed",
                                  summary.total, summary.counted),
                      {}, "take the profile again");
  return summary;
}

}  // namespace weir::dump
