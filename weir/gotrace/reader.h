#pragma once
// Reader: a whole execution trace, streamed as Events.
#include <functional>
#include <memory>

#include "weir/base/notes.h"
#include "weir/gotrace/event.h"
#include "weir/gotrace/generation.h"
#include "weir/gotrace/order.h"

namespace weir::gotrace {

struct ReadOptions {
  /// Is told of bytes that will not be looked at again. May be null.
  std::function<void(bytes::Bytes)> release;
  /// Is called after a generation's tables are in the dictionary and before its events.
  std::function<void(const Dictionary&)> names_ready;
  /// The sink runs on a thread of its own, beside the reading and `release`, never beside
  /// `names_ready`.
  bool ahead = false;
};

/// What a trace holds besides its events.
struct TraceFacts {
  Header header;
  std::uint64_t events = 0;
  std::uint64_t generations = 0;
  std::uint64_t first_generation = 0;  ///< more than 1: a flight recording, or a part
  std::uint64_t threads = 0;
  std::uint64_t cpu_samples = 0;
  double nanos_per_tick = 0;
  std::int64_t started_at =
      0;  ///< ns since 1970 of time 0; 0: the trace does not say (before 1.25)
  ByteCounts bytes;
  Irregularities irregularities;
  std::uint64_t held_back = 0;  ///< events that had to wait for another thread's
};

/// Reads `file` from beginning to end. Memory does not depend on the number of events. Damage costs
/// what is damaged and is noted. Errors: those of parse_header; invalid when there is no batch.
Result<TraceFacts> read_trace(bytes::Bytes file, Dictionary& dictionary, EventSink& sink,
                              const ReadOptions& options, Notes& notes);

}  // namespace weir::gotrace
