#include "weir/ingest/blocking.h"

#include <array>
#include <string_view>

namespace weir::ingest {
namespace {

using gortime::GoroutineState;
using gortime::SudogState;
using model::Blocking;
using model::Direction;
using model::WaitKind;

model::ChannelCase case_of(const GoroutineState& state, const SudogState& sudog,
                           const BlockingContext& context) {
  model::ChannelCase result;
  result.direction = sudog.in_send_queue ? Direction::send : Direction::receive;
  result.channel.address = sudog.channel;
  if (sudog.channel_index >= state.channels.size() ||
      state.channels[sudog.channel_index].at != sudog.channel)
    return result;
  const gortime::ChannelState& channel = state.channels[sudog.channel_index];
  result.channel.length = channel.length;
  result.channel.capacity = channel.capacity;
  result.channel.closed = channel.closed;
  result.channel.timer = channel.timer;
  if (channel.element_type) result.channel.element_type = context.type_name(channel.element_type);
  return result;
}

Blocking channel_wait(WaitKind kind, const GoroutineState& state, const BlockingContext& context) {
  Blocking blocking;
  blocking.kind = kind;
  for (const SudogState& sudog : state.sudogs) {
    if (!sudog.channel) continue;
    blocking.cases.push_back(case_of(state, sudog, context));
    if (kind == WaitKind::channel_send) blocking.cases.back().direction = Direction::send;
    if (kind == WaitKind::channel_receive) blocking.cases.back().direction = Direction::receive;
  }
  if (blocking.cases.empty()) blocking.unknown_why = "its wait queue entry could not be read";
  return blocking;
}

/// The sync type whose method waits, found among the frames of runtime, sync and internal/sync on
/// top of the stack.
struct SyncFrames {
  bool mutex = false;
  bool rwmutex_lock = false;
  bool rwmutex_rlock = false;
  bool wait_group = false;
};

SyncFrames sync_frames(const model::Stack& stack) {
  SyncFrames found;
  for (const model::Frame& frame : stack) {
    const std::string_view name = frame.function;
    if (!name.starts_with("runtime.") && !name.starts_with("sync.") &&
        !name.starts_with("internal/sync.") && !name.starts_with("internal/runtime/"))
      break;
    if (name.ends_with(".(*Mutex).Lock") || name.ends_with(".(*Mutex).lockSlow"))
      found.mutex = true;
    if (name == "sync.(*RWMutex).Lock") found.rwmutex_lock = true;
    if (name == "sync.(*RWMutex).RLock") found.rwmutex_rlock = true;
    if (name == "sync.(*WaitGroup).Wait") found.wait_group = true;
  }
  return found;
}

Blocking semaphore_wait(const GoroutineState& state, const std::string& reason,
                        const model::Stack& stack, const BlockingContext& context) {
  const auto& l = *context.layout;
  const SyncFrames frames = sync_frames(stack);
  Blocking blocking;
  std::uint64_t word_offset = 0;  // of the semaphore word in the object
  if (frames.wait_group || reason.starts_with("sync.WaitGroup.Wait")) {
    blocking.kind = WaitKind::wait_group;
    word_offset = l.wait_group.sema.value();
  } else if (frames.rwmutex_lock) {
    // Behind another writer it waits on the RWMutex's own Mutex w, else on writerSem.
    blocking.kind = WaitKind::rwmutex_lock;
    word_offset =
        frames.mutex ? l.rwmutex.w.value() + l.mutex.sema.value() : l.rwmutex.writer_sem.value();
  } else if (frames.rwmutex_rlock || reason == "sync.RWMutex.RLock") {
    blocking.kind = WaitKind::rwmutex_rlock;
    word_offset = l.rwmutex.reader_sem.value();
  } else if (frames.mutex || reason == "sync.Mutex.Lock") {
    blocking.kind = WaitKind::mutex;
    word_offset = l.mutex.sema.value();
  } else {
    blocking.kind = WaitKind::semaphore;
  }
  if (state.semaphore) {
    blocking.object = *state.semaphore - word_offset;
  } else {
    blocking.unknown_why = "it was not found in the runtime's table of semaphore waiters";
  }
  return blocking;
}

Blocking cond_wait(const GoroutineState& state, const BlockingContext& context) {
  Blocking blocking;
  blocking.kind = WaitKind::cond;
  if (state.notify_list) {
    blocking.object = *state.notify_list - context.layout->cond.notify.value();
  } else {
    blocking.unknown_why = "no notifyList on its stack names it";
  }
  return blocking;
}

Blocking io_wait(const GoroutineState& state, const BlockingContext& context) {
  Blocking blocking;
  blocking.kind = WaitKind::io;
  if (!state.poll) {
    blocking.unknown_why = "no pollDesc on its stack names it";
    return blocking;
  }
  blocking.fd = state.poll->fd;
  blocking.io_direction = state.poll->writing ? Direction::send : Direction::receive;
  blocking.fd_target = context.fd_target(state.poll->fd);
  return blocking;
}

Blocking sleep_wait(const GoroutineState& state, const BlockingContext& context) {
  Blocking blocking;
  blocking.kind = WaitKind::sleep;
  if (state.sleep_when != 0 && context.monotonic_now) {
    blocking.wakes_in = Nanos{state.sleep_when - context.monotonic_now->value};
  } else {
    blocking.unknown_why = state.sleep_when == 0 ? "the runtime keeps no wake time for it"
                                                 : "the target's clock is not known";
  }
  return blocking;
}

Blocking of_kind(WaitKind kind) {
  Blocking blocking;
  blocking.kind = kind;
  return blocking;
}

}  // namespace

std::optional<Blocking> blocking_of(const GoroutineState& state, const std::string& wait_reason,
                                    const model::Stack& stack, const BlockingContext& context) {
  // Go 1.25+ marks waits inside a synctest bubble with a suffix; what is waited on is the same.
  std::string_view reason = wait_reason;
  for (const std::string_view suffix : {" (durable)", " (synctest)"}) {
    if (reason.ends_with(suffix)) reason.remove_suffix(suffix.size());
  }
  if (reason == "chan receive") return channel_wait(WaitKind::channel_receive, state, context);
  if (reason == "chan send") return channel_wait(WaitKind::channel_send, state, context);
  if (reason == "select") return channel_wait(WaitKind::select, state, context);
  if (reason == "chan receive (nil chan)") return of_kind(WaitKind::nil_channel_receive);
  if (reason == "chan send (nil chan)") return of_kind(WaitKind::nil_channel_send);
  if (reason == "select (no cases)") return of_kind(WaitKind::select_no_cases);
  if (reason == "IO wait") return io_wait(state, context);
  if (reason == "sleep") return sleep_wait(state, context);
  if (reason == "sync.Cond.Wait") return cond_wait(state, context);
  if (reason == "semacquire" || reason.starts_with("sync."))
    return semaphore_wait(state, std::string(reason), stack, context);
  return std::nullopt;
}

}  // namespace weir::ingest
