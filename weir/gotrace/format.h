#pragma once
// The words of Go's execution traces, format 2: headers "go 1.22" to "go 1.26", which Go 1.22–1.27
// write. Source of truth: src/internal/trace/tracev2/events.go, go1.26.8 and go1.27.4.
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"

namespace weir::gotrace {

enum class EventType : std::uint8_t {
  none = 0,
  event_batch,
  stacks,
  stack,
  strings,
  string,
  cpu_samples,
  cpu_sample,
  frequency,
  procs_change,
  proc_start,
  proc_stop,
  proc_steal,
  proc_status,
  go_create,
  go_create_syscall,
  go_start,
  go_destroy,
  go_destroy_syscall,
  go_stop,
  go_block,
  go_unblock,
  go_syscall_begin,
  go_syscall_end,
  go_syscall_end_blocked,
  go_status,
  stw_begin,
  stw_end,
  gc_active,
  gc_begin,
  gc_end,
  gc_sweep_active,
  gc_sweep_begin,
  gc_sweep_end,
  gc_mark_assist_active,
  gc_mark_assist_begin,
  gc_mark_assist_end,
  heap_alloc,
  heap_goal,
  go_label,
  user_task_begin,
  user_task_end,
  user_region_begin,
  user_region_end,
  user_log,
  go_switch,
  go_switch_destroy,
  go_create_blocked,
  go_status_stack,
  experimental_batch,
  sync,
  clock_snapshot,
  end_of_generation,
};
/// Experiments' own events (GOEXPERIMENT=allocfree): numbers from 128 to this one.
constexpr std::uint8_t first_experimental_event = 128;
constexpr std::uint8_t last_experimental_event = 136;

constexpr std::size_t most_event_arguments = 5;               // the time delta is one more
constexpr std::size_t largest_batch = std::size_t{64} << 10;  // tracev2.MaxBatchSize
constexpr std::size_t most_frames = 128;                      // tracev2.MaxFramesPerStack
constexpr std::size_t longest_string = std::size_t{1} << 10;  // tracev2.MaxEventTrailerDataSize

struct EventSpec {
  std::string_view name;
  std::array<std::string_view, 6> arguments;  ///< in the order of the bytes, "dt" first if timed
  std::uint8_t argument_count = 0;
  bool timed = false;      ///< stands in a batch of a thread, with the time since the event before
  std::int8_t stack = -1;  ///< which argument (dt not counted) is its own stack; -1: none
};

/// The spec of an event's number; null if weir knows no such event.
const EventSpec* find_spec(std::uint8_t type);

/// What the first 16 bytes say.
struct Header {
  int minor = 0;        ///< 22 of "go 1.22 trace"
  bool second = false;  ///< format 2 (1.22 and later), as opposed to the one of 1.11–1.21
  static constexpr std::size_t size = 16;
};

/// Errors: invalid (no trace), unsupported (a header that weir does not know).
Result<Header> parse_header(bytes::Bytes bytes);
/// Whether bytes begin as a trace of any version does.
bool looks_like_trace(bytes::Bytes bytes);

}  // namespace weir::gotrace
