#pragma once
// GoroutineState: what the memory of one goroutine says, before any name is looked up. Plain values
// copied out of the target; nothing here points into it. Source of truth: runtime.g, sudog, hchan,
// semaRoot, pollDesc (src/runtime/runtime2.go, chan.go, sema.go, netpoll.go, go1.19–1.27), read
// through Layout.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/address.h"

namespace weir::gortime {

/// runtime.g's atomicstatus without the scan bit (runtime2.go, _Gidle …).
enum class GStatus : std::uint32_t {
  idle = 0,
  runnable = 1,
  running = 2,
  syscall = 3,
  waiting = 4,
  dead = 6,
  copystack = 8,
  preempted = 9,
  leaked = 10,     ///< go1.26+
  dead_extra = 11  ///< go1.26+: an extra M's goroutine outside any C→Go call
};

struct ChannelState {
  Address at;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  Address element_type;
  bool closed = false;
  bool timer = false;      ///< go1.23+: hchan.timer is set
  Address first_receiver;  ///< recvq.first
  Address first_sender;    ///< sendq.first
};

/// One entry of g.waiting, or the goroutine's entry in the semaphore table.
struct SudogState {
  Address at;
  Address element;  ///< chan: where the value goes; semaphore: the word waited on; Cond (go1.26+):
                    ///< the notifyList
  Address channel;  ///< 0 for semaphores and Conds
  bool in_send_queue = false;  ///< which of the channel's queues holds it; only meant for a select
  std::uint32_t channel_index = 0;  ///< into GoroutineState::channels; valid when channel is not 0
};

struct PollState {
  int fd = -1;
  bool writing = false;
};

/// Where a goroutine's own code stands while its thread is on another stack.
struct OwnCode {
  Address pc, sp;
  bool exact = false;  ///< pc is an interrupted instruction, not a return address
};

struct AncestorState {
  Goid id;
  Address gopc;
  std::vector<Address> pcs;
};

struct GoroutineState {
  Address g;
  Goid id;
  GStatus status = GStatus::idle;
  bool scanning = false;  ///< _Gscan was set: the GC held it
  std::uint8_t wait_reason = 0;
  std::uint8_t tracking_seq = 0;
  std::int64_t wait_since = 0;  ///< monotonic ns; 0 = not known
  Address stack_lo, stack_hi;
  Address sched_pc, sched_sp;
  Address syscall_pc, syscall_sp;
  Address m, locked_m;
  Address go_pc, start_pc;
  Goid parent;
  Address waiting, labels_at, ancestors_at, timer, bubble;
  Address closure;  ///< sched.ctxt: of one that has not run yet, all that it was started with
  Address defers;   ///< the latest runtime._defer
  std::int64_t sleep_when = 0;  ///< monotonic ns; 0 = not known

  Address stack_at;                  ///< where `stack` begins
  std::vector<std::uint64_t> stack;  ///< words from the stack pointer up to stack_hi, or to a limit
  bool stack_cut = false;            ///< the limit was reached, or part of it could not be read
  std::vector<SudogState> sudogs;
  std::vector<ChannelState> channels;
  std::optional<Address> semaphore;  ///< the word it waits on in the semaphore table
  std::optional<Address> notify_list;
  std::optional<PollState> poll;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<AncestorState> ancestors;
  std::optional<std::uint64_t> bubble_id;
  std::optional<int> thread;  ///< m.procid: the tid in the target's own pid namespace
  std::int32_t m_id = -1;
  /// Running, and its thread is in the vDSO (which Go calls on the system stack) or in a signal
  /// handler.
  std::optional<OwnCode> own_code;
  bool torn = false;      ///< its g struct could not be read, or there was no time to read the rest
  bool verified = false;  ///< all of the above is of one instant: read while stopped, or seen
                          ///< unchanged afterwards

  bool waits() const { return status == GStatus::waiting || status == GStatus::leaked; }
  bool alive() const {
    return status != GStatus::idle && status != GStatus::dead && status != GStatus::dead_extra;
  }
};

}  // namespace weir::gortime
