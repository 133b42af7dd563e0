// Finds goroutines in a stream of text.
#include <fmt/format.h>

#include <algorithm>

#include "weir/dump/goroutine_text.h"
#include "weir/dump/stack_scan.h"
#include "weir/dump/text.h"

namespace weir::dump {

namespace {

constexpr std::size_t max_goroutine = 4u << 20;  ///< a goroutine's text beyond this is cut
constexpr std::size_t max_line = 1u << 20;  ///< a line between goroutines beyond this is dropped
constexpr std::size_t max_reason = 4096;
constexpr std::size_t first_refill = 64u << 10;

/// What a logger writes before each line, learned from the header line.
class LogPrefix {
 public:
  LogPrefix() = default;
  explicit LogPrefix(std::string_view text) {
    const auto last_blank = text.find_last_of(" \t");
    blanks_ = static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; }));
    literal_ = last_blank == std::string_view::npos ? text : text.substr(last_blank + 1);
  }
  bool empty() const { return blanks_ == 0 && literal_.empty(); }

  /// `line` without its prefix; as it is when it has no such prefix. One that ends within the
  /// prefix is blank: loggers trim.
  std::string_view strip(std::string_view line) const {
    std::string_view rest = line;
    for (std::size_t i = 0; i < blanks_; ++i) {
      const auto blank = rest.find_first_of(" \t");
      if (blank == std::string_view::npos) return i + 1 == blanks_ ? std::string_view() : line;
      rest.remove_prefix(blank + 1);
    }
    return take_prefix(rest, literal_) ? rest : line;
  }

 private:
  std::size_t blanks_ = 0;
  std::string_view literal_;  ///< after the last blank: "…|"
};

struct FoundHeader {
  Header header;
  std::size_t column = 0;
};

/// A header anywhere in the line, up to its end.
std::optional<FoundHeader> find_header(std::string_view line) {
  constexpr std::string_view word = "goroutine ";
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    // The text of a panic is printed behind a tab.
    if (at != 0 && line.substr(0, at).find_first_not_of('\t') == std::string_view::npos) continue;
    if (auto header = parse_header(line.substr(at))) return FoundHeader{*header, at};
  }
  return {};
}

/// A line that a dying Go program prints before its goroutines, from the telling word on.
std::string_view find_reason(std::string_view line) {
  for (const std::string_view word :
       {"panic: ", "fatal error: ", "SIGQUIT: quit", "SIGABRT: abort", "unexpected fault address"})
    if (const auto at = line.find(word); at != std::string_view::npos)
      return line.substr(at, max_reason);
  return {};
}

/// Whether a last line without its end looks like a piece of a longer one.
bool looks_unfinished(std::string_view line) {
  return !line.empty() && (line.front() == '\t' || line.find('(') != std::string_view::npos ||
                           line.starts_with("created by ") || line.starts_with("goroutine "));
}

}  // namespace

/// One goroutine while its lines are looked at.
struct Scanner::Goroutine {
  explicit Goroutine(FrameMemo& memo) : scan(memo) {}

  GoroutineText text;
  LogPrefix prefix;
  StackScan scan;
  std::size_t end = 0;           ///< of its last line, in the text
  bool ended = false;            ///< saw the line after its last
  bool too_long = false;         ///< did not end within max_goroutine
  bool unfinished_tail = false;  ///< the input ends in a piece of a line

  void add_lines(std::string_view input, bool last, std::string& unprefixed);
};

/// Looks at lines from `end` on. With a prefix the lines are copied; views into the copies stay
/// valid because room for all of them is made first.
void Scanner::Goroutine::add_lines(std::string_view input, bool last, std::string& unprefixed) {
  unprefixed.clear();
  const std::size_t begin = end;
  const std::string_view window =
      input.substr(0, begin + std::min(input.size() - begin, max_goroutine));
  if (!prefix.empty()) unprefixed.reserve(window.size() - begin + 1);
  std::string_view rest = window.substr(begin);
  std::size_t kept = 0;
  while (!rest.empty() && !ended) {
    if (const std::size_t known = prefix.empty() ? scan.take_known(rest) : 0; known != 0) {
      rest.remove_prefix(known);
      end = window.size() - rest.size();
      continue;
    }
    std::string_view after = rest;
    std::string_view line = take_line(after);
    const bool unterminated = after.empty() && rest.back() != '\n';
    if (unterminated && (!last || window.size() < input.size())) break;
    if (!prefix.empty()) {
      const std::size_t at = unprefixed.size();
      unprefixed.append(prefix.strip(line)).push_back('\n');
      line = std::string_view(unprefixed).substr(at, unprefixed.size() - at - 1);
    }
    const StackScan::Verdict verdict = scan.add(line);
    ended = verdict == StackScan::Verdict::ended;
    if (verdict == StackScan::Verdict::alien && unterminated)
      unfinished_tail = looks_unfinished(line);
    rest = after;
    if (verdict == StackScan::Verdict::taken) {
      end = window.size() - rest.size();
      kept = unprefixed.size();
    }
  }
  too_long = !ended && window.size() - begin == max_goroutine;
  text.stack = prefix.empty() ? input.substr(begin, end - begin)
                              : std::string_view(unprefixed).substr(0, kept);
}

Scanner::Scanner(Sink sink, DumpSink dump_sink)
    : sink_(std::move(sink)), dump_sink_(std::move(dump_sink)) {}

void Scanner::feed(std::string_view piece) {
  summary_.bytes += piece.size();
  while (!piece.empty() && !kept_.empty()) {
    // Enough more for kept_ to double, so that a goroutine over many pieces is not looked at in
    // vain each time.
    const std::size_t wanted = std::max(kept_.size(), first_refill);
    const std::string_view refill = piece.substr(0, wanted);
    kept_.append(refill);
    if (kept_.size() < retry_size_) return;
    const std::size_t used = consume(kept_, false);
    kept_offset_ += used;
    const std::size_t left = kept_.size() - used;
    if (left <= refill.size()) {
      // What is left is a part of the piece: go on there, without copies.
      piece.remove_prefix(refill.size() - left);
      kept_.clear();
    } else {
      piece.remove_prefix(refill.size());
      kept_.erase(0, used);
    }
    retry_size_ = kept_.size() * 2;
    if (kept_.empty()) break;
  }
  if (piece.empty()) return;
  const std::size_t used = consume(piece, false);
  kept_offset_ += used;
  kept_.assign(piece.substr(used));
  retry_size_ = kept_.size() * 2;
}

Summary Scanner::finish() {
  consume(kept_, true);
  kept_.clear();
  end_dump(summary_.bytes);
  return std::move(summary_);
}

/// Takes what is complete from the beginning of `text`, which is at kept_offset_ of the input.
/// Returns how much that was.
std::size_t Scanner::consume(std::string_view text, bool last) {
  std::size_t position = 0;
  while (position < text.size() && consume_line(text, position, last)) {
  }
  return position;
}

/// Takes one goroutine, or one line between goroutines. False if that needs more text.
bool Scanner::consume_line(std::string_view text, std::size_t& position, bool last) {
  std::string_view rest = text.substr(position);
  const std::string_view line = take_line(rest);
  const bool unterminated = rest.empty() && text.back() != '\n';
  if (unterminated && !last) return drop_line(text, position);
  const std::size_t next_line = text.size() - rest.size();
  if (std::exchange(dropping_line_, false)) {
    position = next_line;
    return true;
  }
  const auto found = find_header(line);
  if (!found) {
    pass_over(line);
    if (unterminated && line.starts_with("goroutine ")) dump_cut_ = true;
    position = next_line;
    return true;
  }
  Goroutine goroutine(memo_);
  goroutine.text.header = found->header;
  goroutine.text.offset = kept_offset_ + position + found->column;
  goroutine.prefix = LogPrefix(line.substr(0, found->column));
  goroutine.end = next_line;
  return take_goroutine(std::move(goroutine), text, position, last);
}

/// Drops an unfinished line that is too long to be kept; false if it is not.
bool Scanner::drop_line(std::string_view text, std::size_t& position) {
  if (!dropping_line_ && text.size() - position <= max_line) return false;
  if (!dropping_line_)
    summary_.notes.add(Severity::warning, "a line of over 1 MiB was passed over",
                       fmt::format("offset {}", kept_offset_ + position));
  dropping_line_ = true;
  position = text.size();
  return true;
}

bool Scanner::take_goroutine(Goroutine goroutine, std::string_view text, std::size_t& position,
                             bool last) {
  goroutine.add_lines(text, last, unprefixed_);
  if (!goroutine.ended && !last && !goroutine.too_long) return false;
  GoroutineText& result = goroutine.text;
  if (goroutine.ended && result.stack.empty()) {  // somebody's words: Go prints at least one frame
    position = goroutine.end;
    return true;
  }
  begin_goroutine(result.header, result.offset);
  result.dump = summary_.dumps - 1;
  result.stack_key = goroutine.scan.key();
  result.frames = goroutine.scan.frames();
  result.unavailable = goroutine.scan.unavailable();
  const bool nothing = result.stack.empty();
  result.cut = !goroutine.ended && (goroutine.scan.dangling() || goroutine.unfinished_tail ||
                                    goroutine.too_long || nothing);
  dump_cut_ |= result.cut;
  if (goroutine.scan.interruptions() != 0)
    summary_.notes.add(
        Severity::warning, "lines of other writers stand between a goroutine's frames",
        fmt::format("goroutine {} at offset {}", result.header.id.value, result.offset));
  ++summary_.goroutines;
  sink_(result);
  position = goroutine.end;
  return true;
}

/// Opens the next dump if this goroutine begins one.
void Scanner::begin_goroutine(const Header& header, std::uint64_t offset) {
  const bool again =
      header.id.value != 0 && (header.id == first_of_dump_ || (header.id.value == 1 && main_seen_));
  const bool next = !dump_open_ || (!another_thread_ && (reason_seen_ || again));
  if (next) {
    end_dump(offset);
    dump_open_ = true;
    dump_offset_ = offset;
    first_of_dump_ = Goid{0};
    main_seen_ = false;
    const DumpStart start{summary_.dumps++, offset, reason_};
    if (dump_sink_) dump_sink_(start);
  }
  if (first_of_dump_.value == 0) first_of_dump_ = header.id;
  if (header.id.value == 1) main_seen_ = true;
  reason_seen_ = false;
  reason_.clear();
}

/// Learns from a line between goroutines.
void Scanner::pass_over(std::string_view line) {
  if (line == "-----") another_thread_ = true;
  const std::string_view reason = find_reason(line);
  if (reason.empty()) return;
  const bool signal = reason.starts_with("SIG");
  if (another_thread_ && signal) return;
  another_thread_ = false;
  if (!reason_seen_) reason_ = reason;
  reason_seen_ = true;
}

void Scanner::end_dump(std::uint64_t offset) {
  const bool limit = dump_open_ && offset - dump_offset_ == runtime_stack_limit;
  if (!limit && !std::exchange(dump_cut_, false)) return;
  summary_.cut = true;
  summary_.notes.add(
      Severity::loss,
      limit ? "the dump is cut at 64 MiB, where Go's runtime gives up: goroutines are missing"
            : "the dump ends in the middle of a goroutine: goroutines may be missing",
      fmt::format("offset {}", offset),
      limit ? "take debug=1 or a profile instead, or read the process itself with weir dump PID"
            : "take the dump again");
}

}  // namespace weir::dump
