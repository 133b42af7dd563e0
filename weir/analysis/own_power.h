#pragma once
// What the looks at waiting goroutines share: who can go on alone, and where one stands.
#include <cstdint>
#include <string>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Why a goroutine can go on by itself.
enum class Power : std::uint8_t {
  none,  ///< only another goroutine can wake it
  runs,  ///< or can run at once
  system_call,
  sleep,
  io,
  timer,   ///< it waits for a channel that a timer sends to
  signal,  ///< it waits for a channel of os.Signal, and os/signal listens
  woken,   ///< it still waits, but somebody is about to wake it
  ran,     ///< it has run since the moment of the snapshot
};
/// `signals`: os/signal listens.
Power power_of(const model::Goroutine& goroutine, bool signals);

/// The same in words ("sleeps", "waits for IO", "is running"); empty for Power::none.
std::string words_of(Power power, const model::Goroutine& goroutine);

/// The innermost call in the user's own code, else the innermost that a traceback shows.
model::CodePlace user_place(const model::Goroutine& goroutine);

}  // namespace weir::analysis
