#pragma once
// Whether goroutines that linger can still end by themselves.
#include <cstddef>
#include <optional>
#include <vector>

#include "weir/model/snapshot.h"
#include "weir/run/program.h"

namespace weir::run {

/// What can change a set of parked goroutines from within the program.
enum class Stir : std::uint8_t {
  nothing,  ///< only the outside world could (a peer, a signal)
  work,     ///< some goroutine runs, or can run
  timer,    ///< a timer or a sleeper is due within the time that was asked about
  outside,  ///< some goroutine waits in a system call or for a file descriptor
};

/// Looks at every goroutine but the runtime's own and `ending` (the one that ends the program).
/// `timers` empty: not known, which counts as Stir::timer. A goroutine in os/signal's loop stirs
/// nothing: a signal may always come.
Stir find_stir(const model::Snapshot& snapshot, Goid ending,
               const std::optional<std::vector<Timer>>& timers, Nanos within);

/// How long to wait before the next look: 1, 2, 4 … 50 ms, never less than four times what a look
/// costs, never more than is left.
class Patience {
 public:
  explicit Patience(Nanos total) : left_(total) {}

  /// After a look that cost `cost` and `slept` before it. Nothing: it is over.
  std::optional<Nanos> next_wait(Nanos slept, Nanos cost);
  Nanos left() const { return left_; }

 private:
  Nanos left_;
  Nanos step_{1'000'000};
};

}  // namespace weir::run
