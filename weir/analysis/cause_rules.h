#pragma once
// The inside of cause.cc: what a rule sees and what it is.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weir/analysis/cause.h"

namespace weir::analysis {

/// One goroutine in its Snapshot, as rules look at it.
struct CauseCase {
  const CauseFinder& finder;
  const model::Goroutine& goroutine;
  std::optional<model::WaitKind> kind;
  const model::Blocking* blocked = nullptr;  ///< null: not known

  bool has_frame(std::string_view function) const;
  /// True if a frame's function starts with `prefix`.
  bool has_frame_from(std::string_view prefix) const;
  /// The channel of a lone send or receive; null if unknown.
  const model::Channel* channel() const;
  bool is_channel_receive() const { return kind == model::WaitKind::channel_receive; }
  /// The select case that matches, or null.
  template <class Predicate>
  const model::ChannelCase* find_case(Predicate predicate) const {
    if (blocked == nullptr) return nullptr;
    for (const model::ChannelCase& one : blocked->cases) {
      if (predicate(one)) return &one;
    }
    return nullptr;
  }
  /// A Cause with the blocking object as its first evidence.
  model::Cause cause(model::Certainty certainty, std::string sentence, std::string advice) const;
};

/// Fits and tells in one: nullopt when it does not fit.
struct CauseRule {
  std::string_view code;
  std::optional<model::Cause> (*find)(const CauseCase&);
};

/// The rules about well-known code of the standard library; they come before the general ones.
std::span<const CauseRule> library_rules();
/// The rules about what a goroutine waits on.
std::span<const CauseRule> wait_rules();

bool is_timer_channel(const model::Channel& channel);
/// `chan struct{}`: ctx.Done(), or a quit channel.
bool is_stop_channel(const model::Channel& channel);

}  // namespace weir::analysis
