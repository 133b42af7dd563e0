#include "weir/gotrace/schedtrace.h"

#include <algorithm>
#include <charconv>

namespace weir::gotrace {
namespace {

constexpr std::size_t most_procs = 1 << 16;
constexpr std::size_t most_reasons = 256;

bool is_digit(char c) {
  return '0' <= c && c <= '9';
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

/// Calls take(key, value) for each key=value; a value in brackets or parentheses is one.
template <class Take>
void each_pair(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return;
    auto from = text.rfind(' ', equals);
    from = from == std::string_view::npos ? 0 : from + 1;
    const std::string_view key = text.substr(from, equals - from);
    text.remove_prefix(equals + 1);
    std::size_t end = text.find(' ');
    if (text.starts_with('[')) end = text.find(']');
    // status=4(chan receive): the reason may have blanks and parentheses of its own.
    const auto open = text.find('(');
    if (open != std::string_view::npos && open < end) {
      const auto close = text.find(") ", open);
      end = close == std::string_view::npos ? text.size() : close + 1;
    }
    take(key, text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end));
  }
}

std::vector<std::uint64_t> numbers(std::string_view text) {
  std::vector<std::uint64_t> all;
  for (std::size_t at = 0; at < text.size() && all.size() < most_procs;) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    all.push_back(number(text.substr(at, end - at)).value_or(0));
    at = end;
  }
  return all;
}

/// Where "SCHED 123ms:" begins; a line of the program's own without a break may stand before it.
std::optional<std::size_t> find_header(std::string_view text) {
  constexpr std::string_view word = "SCHED ";
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    std::size_t end = at + word.size();
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end > at + word.size() && text.substr(end).starts_with("ms: gomaxprocs=")) return at;
  }
  return std::nullopt;
}

SchedSample read_header(std::string_view text) {
  SchedSample sample;
  sample.millis = number(text.substr(6)).value_or(0);
  std::string_view rest = text;
  std::string_view queues;
  if (const auto list = text.find(" ["); list != std::string_view::npos) {
    queues = text.substr(list, text.find(']', list) - list);
    rest = text.substr(0, list);
    if (const auto ticks = text.find("schedticks=["); ticks != std::string_view::npos) {
      std::uint64_t sum = 0;
      for (const std::uint64_t tick : numbers(text.substr(ticks))) sum += tick;
      sample.sched_ticks = sum;
    }
  }
  sample.local_queues = numbers(queues);
  each_pair(rest, [&sample](std::string_view key, std::string_view value) {
    const std::uint64_t n = number(value).value_or(0);
    if (key == "gomaxprocs") sample.gomaxprocs = n;
    if (key == "idleprocs") sample.idle_procs = n;
    if (key == "threads") sample.threads = n;
    if (key == "spinningthreads") sample.spinning_threads = n;
    if (key == "idlethreads") sample.idle_threads = n;
    if (key == "runqueue") sample.run_queue = n;
    if (key == "gcwaiting") {
      sample.detailed = true;
      sample.gc_waiting = value == "true" || n != 0;
    }
  });
  return sample;
}

void read_proc(std::string_view text, SchedSample& sample) {
  each_pair(text, [&sample](std::string_view key, std::string_view value) {
    const std::uint64_t n = number(value).value_or(0);
    if (key == "runqsize" && sample.local_queues.size() < most_procs)
      sample.local_queues.push_back(n);
    if (key == "schedtick") sample.sched_ticks = sample.sched_ticks.value_or(0) + n;
  });
}

// _Grunnable … of src/runtime/runtime2.go, with and without the scan bit.
void read_goroutine(std::string_view text, SchedSample& sample) {
  constexpr std::uint64_t scan = 0x1000;
  each_pair(text, [&sample](std::string_view key, std::string_view value) {
    if (key != "status") return;
    switch (number(value).value_or(0) & ~scan) {
      case 1:
        ++sample.runnable;
        return;
      case 2:
        ++sample.running;
        return;
      case 3:
        ++sample.in_syscall;
        return;
      case 4:
        break;
      default:
        return;
    }
    ++sample.waiting;
    const auto open = value.find('(');
    if (open == std::string_view::npos || value.back() != ')') return;
    const std::string reason(value.substr(open + 1, value.size() - open - 2));
    if (sample.waiting_for.size() < most_reasons || sample.waiting_for.contains(reason))
      ++sample.waiting_for[reason];
  });
}

}  // namespace

void SchedParser::flush() {
  if (current_) samples_(*current_);
  current_.reset();
}

/// "  P0: status=…", "  M1: p=…", "  G1: status=…" behind a header with detail.
bool SchedParser::detail(std::string_view text) {
  if (!current_ || !current_->detailed || !text.starts_with("  ") || text.size() < 5) return false;
  const char kind = text[2];
  std::size_t end = 3;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == 3 || !text.substr(end).starts_with(": ")) return false;
  const std::string_view pairs = text.substr(end + 2);
  switch (kind) {
    case 'P':
      read_proc(pairs, *current_);
      return true;
    case 'G':
      read_goroutine(pairs, *current_);
      return true;
    default:
      return kind == 'M';
  }
}

void SchedParser::line(std::string_view text) {
  if (const auto at = find_header(text)) {
    flush();
    if (*at > 0) others_(text.substr(0, *at));
    current_ = read_header(text.substr(*at));
    return;
  }
  if (!detail(text)) others_(text);
}

void SchedParser::feed(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (!cutting_ && rest_.size() + part.size() > longest_line) {
      cutting_ = true;
      ++cut_lines_;
    }
    if (!cutting_) rest_ += part;
    if (end == std::string_view::npos) return;
    line(rest_);
    rest_.clear();
    cutting_ = false;
    piece.remove_prefix(end + 1);
  }
}

void SchedParser::finish() {
  if (!rest_.empty()) line(rest_);
  rest_.clear();
  flush();
}

}  // namespace weir::gotrace
