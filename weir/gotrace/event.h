#pragma once
// Event: one thing that happened, in the order in which it happened, with numbers that hold for the
// whole trace. Both formats of traces end as these.
#include <cstdint>
#include <limits>
#include <span>

#include "weir/gotrace/dictionary.h"
#include "weir/gotrace/format.h"

namespace weir::gotrace {

/// A place in a table of goroutines that are alive; free again after go_destroy.
using Slot = std::uint32_t;
constexpr Slot no_slot = std::numeric_limits<Slot>::max();
constexpr std::uint32_t no_proc = std::numeric_limits<std::uint32_t>::max();

/// GoStatus of tracev2 and its numbers.
enum class GoStatus : std::uint8_t { bad, runnable, running, syscall, waiting };

struct Event {
  /// Nanoseconds since the first event of any thread. Never clamped: an event that a thread stamped
  /// late stays late. Meaningless for a status event that no thread wrote.
  std::int64_t time = 0;
  Slot slot = no_slot;   ///< the goroutine it is about
  Slot actor = no_slot;  ///< the goroutine that the thread ran
  StackId stack = 0;     ///< where the actor was
  StackId start_stack =
      0;  ///< go_create: the new goroutine's; go_status_stack: the goroutine's own
  StringId text =
      0;  ///< reason of go_stop and go_block; name of a task, region, label; key of a log
  StringId text2 = 0;            ///< value of a log
  std::uint32_t thread = 0;      ///< an index of Reader::thread_id
  std::uint32_t proc = no_proc;  ///< the P's own number
  std::uint64_t a = 0;  ///< go_create*, go_status*: the goroutine's id; tasks: the task; heap:
                        ///< bytes; procs_change: how many; proc_steal: the P; cpu: see the reader
  std::uint64_t b =
      0;  ///< task_begin: the parent; go_create: the creator's id; go_status*: GoStatus
  EventType type = EventType::none;
  bool first_status = false;  ///< go_status*: nothing was known of the goroutine before
};

/// Takes events in blocks. The span is valid during the call.
class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;
  virtual void take(std::span<const Event> events) = 0;
};

}  // namespace weir::gotrace
