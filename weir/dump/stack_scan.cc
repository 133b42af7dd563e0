#include "weir/dump/stack_scan.h"

#include <cstring>

#include "weir/dump/fingerprint.h"

namespace weir::dump {

namespace {

/// More lines of other writers in a row than this end a goroutine.
constexpr std::uint32_t max_aliens = 16;

/// One for each frame of the text, so not by std::string_view::rfind, which goes byte by byte.
std::string_view without_args(std::string_view function) {
  const void* open = ::memrchr(function.data(), '(', function.size());
  if (open == nullptr) return function;
  return function.substr(
      0, static_cast<std::size_t>(static_cast<const char*>(open) - function.data()));
}

/// The creator line without the number of the creating goroutine.
std::string_view without_goroutine(std::string_view line) {
  const auto at = line.rfind(" in goroutine ");
  return at == std::string_view::npos ? line : line.substr(0, at);
}

}  // namespace

StackScan::Verdict StackScan::take() {
  interruptions_ += aliens_;
  aliens_ = 0;
  alien_ = {};
  return Verdict::taken;
}

bool StackScan::dangling() const {
  // "--- FAIL: TestX (0.00s)" ends like a call, but calls have no blanks in their names.
  return waiting_ == Waiting::creator_location ||
         (waiting_ == Waiting::location && without_args(call_).find(' ') == std::string_view::npos);
}

std::size_t StackScan::take_known(std::string_view text) {
  if (waiting_ != Waiting::nothing || created_ || in_ancestors_ || aliens_ != 0) return 0;
  const FrameMemo::Match match = memo_->find(key_, text);
  if (match.size == 0) return 0;
  key_ = match.key;
  ++frames_;
  return match.size;
}

StackScan::Verdict StackScan::add(std::string_view line) {
  // The common case first: places and calls take turns.
  if (waiting_ != Waiting::nothing && line.starts_with('\t')) {
    const LocationShape shape = measure_location(line);
    if (shape.key_size != 0) return add_location(line, shape);
  }
  const LineKind kind = classify(line);
  if (kind == LineKind::blank) return Verdict::ended;
  if (kind == LineKind::comment) return Verdict::alien;
  if (created_ && kind != LineKind::originating) return Verdict::ended;
  switch (kind) {
    case LineKind::function:
    case LineKind::created_by:
      waiting_ = kind == LineKind::function ? Waiting::location : Waiting::creator_location;
      call_ = line;
      return Verdict::pending;
    case LineKind::originating:
      in_ancestors_ = true;
      created_ = false;
      waiting_ = Waiting::nothing;
      return take();
    case LineKind::elided:
      if (!in_ancestors_) key_ = mix_text(key_, line);
      return take();
    case LineKind::unavailable:
      unavailable_ = true;
      return take();
    case LineKind::foreign:
      if (!in_ancestors_) key_ = mix_text(key_, line);
      if (!in_ancestors_) ++frames_;
      return take();
    case LineKind::location:
      return add_location(line, measure_location(line));
    default:
      return add_alien(line);
  }
}

StackScan::Verdict StackScan::add_location(std::string_view line, const LocationShape& shape) {
  const bool named_by_alien = shape.foreign && !alien_.empty();
  if (waiting_ == Waiting::nothing && !named_by_alien) {
    const Verdict verdict = add_alien(line);
    alien_ = {};  // no C function has such a name
    return verdict;
  }
  const bool creator = waiting_ == Waiting::creator_location && !named_by_alien;
  if (!in_ancestors_) {
    const std::string_view name = named_by_alien  ? alien_
                                  : creator       ? without_goroutine(call_)
                                  : shape.foreign ? call_
                                                  : without_args(call_);
    const std::uint64_t before = key_;
    key_ = mix_text(mix_text(key_, name), line.substr(0, shape.key_size));
    if (!creator) ++frames_;
    if (!creator && !shape.foreign && name.size() < call_.size())
      memo_->learn(before, name, line, key_);
  }
  if (named_by_alien) --aliens_;  // it was no other writer's line
  created_ = creator;
  waiting_ = Waiting::nothing;
  return take();
}

StackScan::Verdict StackScan::add_alien(std::string_view line) {
  if (line.starts_with("goroutine ") && parse_header(line)) return Verdict::ended;
  if (++aliens_ > max_aliens) return Verdict::ended;
  alien_ = line;
  return Verdict::alien;
}

}  // namespace weir::dump
