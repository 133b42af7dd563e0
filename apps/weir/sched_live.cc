#include "apps/weir/sched_live.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "weir/analysis/schedtrace.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedtrace_text.h"

namespace weir::app {
namespace {

constexpr Nanos between_lines{1'000'000'000};
constexpr std::size_t plain_width = 160;

/// At once, whatever else is buffered: the two descriptors may be one terminal.
void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t columns_of_terminal() {
  winsize size{};
  ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
  return size.ws_col == 0 ? 80 : size.ws_col;
}

bool has_colour() {
  return report::wants_colour(true, std::getenv("NO_COLOR"), std::getenv("TERM"),
                              std::getenv("CLICOLOR_FORCE"));
}

}  // namespace

SchedLive::SchedLive() : on_terminal_(isatty(STDERR_FILENO) != 0) {}

SchedLive::~SchedLive() {
  write_all(STDERR_FILENO, erased());
}

bool SchedLive::needs_output() const {
  return on_terminal_ && isatty(STDOUT_FILENO) != 0;
}

void SchedLive::line(int fd, std::string_view text) {
  // In one piece: a program that writes a lot must not make the lines flicker.
  std::string all = erased();
  all += text;
  write_all(fd, all + drawn());
}

void SchedLive::sample(const model::SchedSample& sample) {
  recent_.push_back(sample);
  if (recent_.size() > most_kept) recent_.erase(recent_.begin());
  const model::SchedReport report = analysis::judge_schedule(recent_);
  if (!on_terminal_) {
    print_plain(report);
    return;
  }
  std::string all = erased();
  // The last column stays free: some terminals begin a new line when it is written.
  lines_ = report::render_schedule_now(report, columns_of_terminal() - 1, has_colour());
  write_all(STDERR_FILENO, all + drawn());
}

std::string SchedLive::drawn() {
  drawn_ = lines_.size();
  return fmt::format("{}", fmt::join(lines_, "\r\n"));
}

std::string SchedLive::erased() {
  if (drawn_ == 0) return {};
  const std::string up = drawn_ > 1 ? fmt::format("\x1b[{}A", drawn_ - 1) : "";
  drawn_ = 0;
  return "\r" + up + "\x1b[J";
}

void SchedLive::print_plain(const model::SchedReport& report) {
  const Nanos now = recent_.back().at;
  if (told_.value >= 0 && now.value - told_.value < between_lines.value) return;
  told_ = now;
  write_all(STDERR_FILENO, report::render_schedule_line(report, plain_width) + '\n');
}

}  // namespace weir::app
