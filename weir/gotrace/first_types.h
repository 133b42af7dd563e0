#pragma once
// Internal to gotrace: the event numbers of the first format (EvBatch … of
// src/internal/trace/internal/tracev1/parser.go, go1.26.8).
#include <cstddef>
#include <cstdint>

namespace weir::gotrace::first {

enum Type : std::uint8_t {
  batch = 1,
  frequency,
  stack,
  gomaxprocs,
  proc_start,
  proc_stop,
  gc_start,
  gc_done,
  stw_start,
  stw_done,
  gc_sweep_start,
  gc_sweep_done,
  go_create,
  go_start,
  go_end,
  go_stop,
  go_sched,
  go_preempt,
  go_sleep,
  go_block,
  go_unblock,
  go_block_send,
  go_block_recv,
  go_block_select,
  go_block_sync,
  go_block_cond,
  go_block_net,
  go_syscall,
  go_sys_exit,
  go_sys_block,
  go_waiting,
  go_in_syscall,
  heap_alloc,
  heap_goal,
  timer_goroutine,
  futile_wakeup,
  string,
  go_start_local,
  go_unblock_local,
  go_sys_exit_local,
  go_start_label,
  go_block_gc,
  gc_mark_assist_start,
  gc_mark_assist_done,
  user_task_create,
  user_task_end,
  user_region,
  user_log,
  cpu_sample,
  type_count
};

/// How many arguments, the time and the stack included; 0 for what is no event in time.
constexpr std::size_t arguments(std::uint8_t type) {
  constexpr std::uint8_t counts[type_count] = {0, 0, 0, 0, 3, 2, 1, 3, 1, 2, 1, 2, 3, 4, 3, 1, 2,
                                               2, 2, 2, 2, 4, 2, 2, 2, 2, 2, 2, 2, 4, 1, 2, 2, 2,
                                               2, 0, 1, 0, 2, 3, 3, 4, 2, 2, 1, 5, 3, 5, 4, 0};
  return counts[type];
}
constexpr bool is_timed(std::uint8_t type) {
  return arguments(type) != 0;
}
constexpr bool starts(std::uint8_t type) {
  return type == go_start || type == go_start_local || type == go_start_label;
}
/// The goroutine runs no longer after it.
constexpr bool leaves(std::uint8_t type) {
  return (type >= go_end && type <= go_block) || (type >= go_block_send && type <= go_block_net) ||
         type == go_sys_block || type == go_block_gc;
}

/// What the second format says for these events.
constexpr const char* reasons[] = {"chan send",
                                   "chan receive",
                                   "select",
                                   "sync",
                                   "sync.(*Cond).Wait",
                                   "network",
                                   "sleep",
                                   "forever",
                                   "preempted",
                                   "runtime.Gosched",
                                   "GC mark assist wait for work",
                                   "unspecified"};

}  // namespace weir::gotrace::first
