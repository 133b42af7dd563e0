#include "weir/dump/race_report.h"

#include <algorithm>

#include "weir/dump/line.h"
#include "weir/dump/text.h"

namespace weir::dump {
namespace {

constexpr std::string_view title = "WARNING: DATA RACE";
constexpr std::string_view rule = "==================";
constexpr std::size_t most_accesses = 2;
constexpr std::size_t most_frames = 4096;

/// "goroutine 7" or "main goroutine" at the beginning of `text`. False if it is something else.
bool take_thread(std::string_view text, std::optional<std::uint64_t>& thread) {
  if (text.starts_with("main goroutine")) return true;
  if (!take_prefix(text, "goroutine ")) return false;
  thread = take_number<std::uint64_t>(text);
  return thread.has_value();
}

class Builder {
 public:
  void add(std::string_view line) {
    if (line.starts_with(' '))
      add_to_stack(line.substr(std::min(line.size(), line.find_first_not_of(' '))));
    else if (!begin_access(line))
      begin_creation(line);
  }
  RaceReport take() { return std::move(report_); }

 private:
  /// "Write at 0x00c000 by goroutine 8:"
  bool begin_access(std::string_view line) {
    const auto at = line.find(" at 0x"), by = line.find(" by ");
    if (at == line.npos || by == line.npos || by < at) return false;
    frames_ = nullptr;
    if (report_.accesses.size() == most_accesses) return true;
    RaceAccess access;
    access.what = line.substr(0, at);
    if (!take_thread(line.substr(by + 4), access.thread)) return true;
    report_.accesses.push_back(std::move(access));
    frames_ = &report_.accesses.back().frames;
    return true;
  }

  /// "Goroutine 8 (running) created at:"
  void begin_creation(std::string_view line) {
    frames_ = nullptr;
    if (!take_prefix(line, "Goroutine ")) return;
    const auto number = take_number<std::uint64_t>(line);
    if (!number || !line.ends_with("created at:")) return;
    for (RaceAccess& access : report_.accesses)
      if (access.thread == number && access.created.empty()) frames_ = &access.created;
  }

  void add_to_stack(std::string_view line) {
    if (frames_ == nullptr || frames_->size() == most_frames) return;
    Frame frame;
    if (!call_.empty() && parse_location(line, frame)) {
      parse_function(call_, frame);
      frames_->push_back(frame);
      call_ = {};
    } else {
      call_ = line;
    }
  }

  RaceReport report_;
  std::vector<Frame>* frames_ = nullptr;  ///< what the lines to come belong to
  std::string_view call_;                 ///< waits for its location
};

}  // namespace

std::optional<RaceReport> parse_race_report(std::string_view text) {
  const auto start = text.find(title);
  if (start == text.npos) return std::nullopt;
  Builder builder;
  text.remove_prefix(start + title.size());
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line == rule) break;
    if (!line.empty()) builder.add(line);
  }
  RaceReport report = builder.take();
  if (report.accesses.size() != most_accesses) return std::nullopt;
  return report;
}

}  // namespace weir::dump
