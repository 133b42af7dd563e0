#include "weir/run/quiet.h"

#include <algorithm>

namespace weir::run {

namespace {

constexpr std::int64_t longest_wait = 50'000'000;

bool is_signal_loop(const model::Goroutine& goroutine) {
  return goroutine.start_function == "os/signal.loop";
}

std::optional<Stir> stir_of(const model::Goroutine& goroutine, Nanos within) {
  using model::Status;
  if (is_signal_loop(goroutine)) return std::nullopt;
  switch (goroutine.status) {
    case Status::waiting:
    case Status::leaked:
      break;
    case Status::dead:
    case Status::idle:
      return std::nullopt;
    case Status::syscall:
      return Stir::outside;
    default:
      return Stir::work;
  }
  if (!goroutine.blocked_on) return std::nullopt;
  if (goroutine.blocked_on->kind == model::WaitKind::io) return Stir::outside;
  // A sleeper is in the timer heap; its own record (go1.23+) is only a second opinion.
  const auto& wakes_in = goroutine.blocked_on->wakes_in;
  return wakes_in && *wakes_in <= within ? std::optional(Stir::timer) : std::nullopt;
}

}  // namespace

Stir find_stir(const model::Snapshot& snapshot, Goid ending,
               const std::optional<std::vector<Timer>>& timers, Nanos within) {
  Stir stir = Stir::nothing;
  const auto worse = [&](Stir other) {
    // Work beats timers beats the outside: what is sure to change something comes first.
    const auto rank = [](Stir s) {
      return s == Stir::nothing ? 0 : (s == Stir::outside ? 1 : (s == Stir::timer ? 2 : 3));
    };
    if (rank(other) > rank(stir)) stir = other;
  };
  for (const model::Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || goroutine.id == ending) continue;
    if (const auto one = stir_of(goroutine, within)) worse(*one);
  }
  if (!timers) worse(Stir::timer);
  if (timers && std::any_of(timers->begin(), timers->end(),
                            [&](const Timer& timer) { return timer.fires_in <= within; }))
    worse(Stir::timer);
  return stir;
}

std::optional<Nanos> Patience::next_wait(Nanos slept, Nanos cost) {
  left_.value -= slept.value + cost.value;
  if (left_.value <= 0) return std::nullopt;
  const std::int64_t wait = std::max(step_.value, 4 * cost.value);
  step_.value = std::min(step_.value * 2, longest_wait);
  return Nanos{std::min(wait, left_.value)};
}

}  // namespace weir::run
