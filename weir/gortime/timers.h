#pragma once
// The timers a Go program has pending.
// Source of truth: src/runtime/time.go (timer, timers, timerWhen), p.timers in
// src/runtime/runtime2.go, go1.19–1.27.
#include <cstdint>
#include <vector>

#include "weir/base/error.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/layout.h"
#include "weir/target/memory.h"

namespace weir::gortime {

struct TimerState {
  Address at;
  std::int64_t when = 0;    ///< monotonic ns
  std::int64_t period = 0;  ///< 0 = once
  Address callback;      ///< pc of the func the timer calls: time.sendTime, runtime.goroutineReady,
                         ///< time.goFunc …
  Address target;        ///< pc of the user's func for time.goFunc (time.AfterFunc); 0 otherwise
  bool channel = false;  ///< go1.23+: the timer of a Timer or Ticker channel, in the heap only
                         ///< while somebody waits
};

/// All timers in the heaps of all Ps, deleted ones left out. From a racing memory the list may lack
/// a timer that is just being moved. Errors: limit (a count that cannot be right), those of the
/// memory.
Result<std::vector<TimerState>> read_timers(const Layout& layout, const Globals& globals,
                                            target::Memory& memory);

}  // namespace weir::gortime
