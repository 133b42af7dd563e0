#pragma once
// An execution trace as values: what each goroutine did from when to when, and why it stopped.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"

namespace weir::model {

/// What a goroutine does, or waits for, during an interval.
enum class TraceKind : std::uint8_t {
  running,
  woken,      ///< runnable, after somebody unblocked it: from here to `returned`, it waits for a P
  created,    ///< runnable, since its `go` statement
  preempted,  ///< runnable, after it was preempted or yielded
  returned,   ///< runnable, after a system call that blocked
  syscall,
  chan_send,
  chan_receive,
  select,
  mutex,
  rwmutex,
  wait_group,
  cond,
  sync_other,  ///< Go says "sync", and the stack does not say which kind of lock
  network,
  sleep,
  gc_assist,
  gc,
  forever,    ///< a nil channel, or a select without cases
  coroutine,  ///< waits until an iterator (iter.Pull) goes on
  synctest,
  system,  ///< a goroutine of the runtime, at rest
  other,
  unknown,  ///< waited before the trace began, and the trace does not say what for
};
constexpr std::size_t trace_kind_count = static_cast<std::size_t>(TraceKind::unknown) + 1;

/// "running", "chan send", "sync.Mutex" …: the kind in reports and in JSON.
std::string_view to_string(TraceKind kind);
/// Waits for a P: woken, created, preempted, returned.
constexpr bool is_scheduling(TraceKind kind) {
  return kind >= TraceKind::woken && kind <= TraceKind::returned;
}
/// Waits for something else than a P.
constexpr bool is_blocking(TraceKind kind) {
  return kind >= TraceKind::syscall;
}
/// Waits for another goroutine: what can be a leak when nobody comes.
constexpr bool is_synchronisation(TraceKind kind) {
  return (kind >= TraceKind::chan_send && kind <= TraceKind::sync_other) ||
         kind == TraceKind::forever;
}

struct TraceFrame {
  std::uint32_t function = 0;  ///< an index of TraceNames::strings
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint64_t pc = 0;
};

/// The texts that intervals point to. It grows while a trace is read; what has a number keeps it.
struct TraceNames {
  std::vector<std::string> strings{""};  ///< 0 is ""
  std::vector<TraceFrame> frames;
  std::vector<std::uint32_t> stack_frames;       ///< of all stacks, one after the other
  std::vector<std::uint32_t> stack_begin{0, 0};  ///< stack i is [begin[i], begin[i + 1]); 0 is none

  std::size_t stack_count() const { return stack_begin.size() - 1; }
  /// Frames innermost first.
  std::span<const std::uint32_t> stack(std::uint32_t id) const {
    return std::span(stack_frames).subspan(stack_begin[id], stack_begin[id + 1] - stack_begin[id]);
  }
  const std::string& function(std::uint32_t frame) const { return strings[frames[frame].function]; }
  const std::string& file(std::uint32_t frame) const { return strings[frames[frame].file]; }
};

constexpr std::uint32_t no_trace_proc = ~std::uint32_t{0};

/// One goroutine doing one thing. Times are nanoseconds since the trace's first event.
struct TraceInterval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::uint64_t goroutine = 0;
  std::uint64_t waker = 0;           ///< the goroutine that ended the wait; 0: the runtime, or none
  std::uint32_t stack = 0;           ///< where the goroutine stopped to run, or begins to
  std::uint32_t waker_stack = 0;     ///< blocking and woken: where the waker was; created: its
                                     ///< creator; preempted: the goroutine itself
  std::uint32_t start_stack = 0;     ///< its outermost frame is the goroutine's own function
  std::uint32_t creation_stack = 0;  ///< the `go` statement's; 0: before the trace
  std::uint32_t task = 0;            ///< name of the user's task, a string; 0: none
  std::uint32_t region = 0;          ///< name of the innermost region of the user, a string
  std::uint32_t proc = no_trace_proc;  ///< the P it ran on, or runs on next
  TraceKind kind = TraceKind::running;
  bool from_start = false;  ///< it began before the trace did; `begin` is the trace's first event
  bool open = false;        ///< it did not end; `end` is the trace's last event
  bool system = false;      ///< of a goroutine of the runtime's own
  bool before_first_run = false;  ///< the goroutine has not run in the trace yet

  std::int64_t duration() const { return end - begin; }
};

/// Takes intervals in the order of their ends. Open ones come at the end of the trace.
class TraceSink {
 public:
  TraceSink() = default;
  TraceSink(const TraceSink&) = delete;
  TraceSink& operator=(const TraceSink&) = delete;
  virtual ~TraceSink() = default;
  /// `interval` is valid during the call.
  virtual void take(const TraceInterval& interval) = 0;
};

struct TraceBytes {
  std::string name;  ///< "events", "stacks" …
  std::uint64_t bytes = 0;
};

/// What holds for a trace as a whole.
struct TraceSummary {
  std::string source;      ///< what the user named
  std::string format;      ///< "go 1.26"
  std::string go;          ///< which releases write that: "1.26 or 1.27"
  std::uint64_t size = 0;  ///< bytes
  Nanos span;              ///< from the first event to the last
  Nanos started_at;        ///< ns since 1970; 0: not known (before 1.25)
  std::uint64_t events = 0;
  std::uint64_t generations = 0;
  bool begins_late = false;  ///< the first generation is not number 1: a flight recording
  std::uint64_t threads = 0;
  std::uint64_t procs = 0;       ///< that ran anything
  std::uint64_t gomaxprocs = 0;  ///< 0: not said
  std::uint64_t goroutines = 0;  ///< seen
  std::uint64_t created = 0;     ///< of them, created during the trace
  std::uint64_t ended = 0;
  std::uint64_t cpu_samples = 0;
  Nanos running;  ///< of all goroutines together
  std::uint64_t gc_cycles = 0;
  Nanos gc_active;
  Nanos stopped_world;
  std::uint64_t heap_largest = 0;  ///< bytes
  double runnable_mean = 0;        ///< goroutines waiting for a P, over time
  std::uint64_t runnable_most = 0;
  std::uint64_t backward =
      0;  ///< intervals whose end was stamped before their beginning: taken as 0
  std::vector<TraceBytes> bytes;
  Notes notes;
};

}  // namespace weir::model
