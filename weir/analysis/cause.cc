#include "weir/analysis/cause.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/analysis/cause_rules.h"
#include "weir/analysis/fingerprint.h"
#include "weir/model/describe.h"

namespace weir::analysis {

using model::Blocking;
using model::Cause;
using model::Channel;
using model::ChannelCase;
using model::Direction;
using model::Goroutine;
using model::WaitKind;

bool CauseCase::has_frame(std::string_view function) const {
  return goroutine.stack &&
         std::any_of(goroutine.stack->begin(), goroutine.stack->end(),
                     [&](const model::Frame& frame) { return frame.function == function; });
}

bool CauseCase::has_frame_from(std::string_view prefix) const {
  return goroutine.stack &&
         std::any_of(goroutine.stack->begin(), goroutine.stack->end(),
                     [&](const model::Frame& f) { return f.function.starts_with(prefix); });
}

const Channel* CauseCase::channel() const {
  if (blocked == nullptr || blocked->cases.size() != 1) return nullptr;
  return &blocked->cases.front().channel;
}

Cause CauseCase::cause(model::Certainty certainty, std::string sentence, std::string advice) const {
  Cause made;
  made.certainty = certainty;
  made.sentence = std::move(sentence);
  made.advice = std::move(advice);
  if (blocked != nullptr) {
    made.evidence.push_back("blocked on: " + model::describe(*blocked));
  } else {
    made.evidence.push_back("state: " + model::state_of(goroutine));
  }
  return made;
}

bool is_timer_channel(const Channel& channel) {
  return channel.timer || channel.element_type == "time.Time";
}

bool is_stop_channel(const Channel& channel) {
  return channel.element_type == "struct {}" || channel.element_type == "struct{}";
}

CauseFinder::CauseFinder(const model::Snapshot& snapshot, bool end_of_program)
    : snapshot_(snapshot), end_of_program_(end_of_program) {
  for (const Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || (end_of_program && goroutine.id == Goid{1})) continue;
    ++users_;
    const std::optional<WaitKind> kind = wait_kind(goroutine);
    if (!kind || kind == WaitKind::sleep || kind == WaitKind::io) ++active_;
    if (!goroutine.blocked_on) continue;
    const Blocking& blocked = *goroutine.blocked_on;
    for (const ChannelCase& one : blocked.cases) {
      Waiters& waiters = waiters_[one.channel.address];
      ++(one.direction == Direction::send ? waiters.senders : waiters.receivers);
    }
    if (blocked.object) ++waiters_[blocked.object].others;
  }
}

Waiters CauseFinder::waiters(Address object) const {
  const auto found = waiters_.find(object);
  return found == waiters_.end() || !object ? Waiters{} : found->second;
}

Cause CauseFinder::of(std::size_t index) const {
  const Goroutine& goroutine = snapshot_.goroutines.at(index);
  const CauseCase one{*this, goroutine, wait_kind(goroutine),
                      goroutine.blocked_on ? &*goroutine.blocked_on : nullptr};
  for (const auto rules : {library_rules(), wait_rules()}) {
    for (const CauseRule& rule : rules) {
      std::optional<Cause> cause = rule.find(one);
      if (!cause) continue;
      cause->code = rule.code;
      return *std::move(cause);
    }
  }
  return {"unknown", "weir knows no pattern for this.", model::Certainty::possible, {}, "", ""};
}

std::vector<std::string_view> cause_codes() {
  std::vector<std::string_view> codes;
  for (const auto rules : {library_rules(), wait_rules()}) {
    for (const CauseRule& rule : rules) codes.push_back(rule.code);
  }
  codes.push_back("unknown");
  return codes;
}

}  // namespace weir::analysis
