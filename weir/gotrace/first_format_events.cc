// What each event of the first format means in the second's words (convertEvent,
// src/internal/trace/tracev1.go, go1.26.8), and when it may come (stateTransition,
// tracev1/order.go).
#include "weir/gotrace/first_format.h"
#include "weir/gotrace/first_types.h"

namespace weir::gotrace {

/// A goroutine's number is in the table from its first event on; sequence numbers start with 1.
Slot FirstFormat::slot_of(std::uint64_t id, GoStatus status) {
  Slot slot = goroutines_.find(id);
  if (slot != no_slot) return slot;
  slot = goroutines_.add(id);
  if (slot == no_slot) {
    ++irregular_.too_many;
    return no_slot;
  }
  goroutines_[slot].status = status;
  goroutines_[slot].sequence = 1;
  return slot;
}

bool FirstFormat::ready(const Proc& proc) {
  const Raw& raw = proc.head;
  const auto is = [this](std::uint64_t id, GoStatus status, const std::uint64_t* sequence) {
    const Slot slot = goroutines_.find(id);
    if (slot == no_slot || goroutines_[slot].status != status) return false;
    return sequence == nullptr || goroutines_[slot].sequence == *sequence;
  };
  constexpr std::uint64_t first_sequence = 1;
  switch (raw.type) {
    case first::go_create:
      return goroutines_.find(raw.args[1]) == no_slot;
    case first::go_waiting:
    case first::go_in_syscall:
      return is(raw.args[1], GoStatus::runnable, &first_sequence);
    case first::go_start:
    case first::go_start_label:
      return is(raw.args[1], GoStatus::runnable, &raw.args[2]);
    case first::go_start_local:
      return is(raw.args[1], GoStatus::runnable, nullptr);
    case first::go_unblock:
    case first::go_sys_exit:
      return is(raw.args[1], GoStatus::waiting, &raw.args[2]);
    case first::go_unblock_local:
    case first::go_sys_exit_local:
      return is(raw.args[1], GoStatus::waiting, nullptr);
    case first::gc_start:
      return raw.args[1] == gc_sequence_;
    default:
      return !first::leaves(raw.type) || raw.type == first::go_end || raw.type == first::go_stop ||
             is(proc.actor, GoStatus::running, nullptr);
  }
}

void FirstFormat::emit_syscall(std::uint64_t goroutine, const Pending& pending, bool blocked) {
  Proc at;
  at.id = pending.proc;
  at.actor = goroutine;
  at.time = origin_;
  Event& begin = emit(EventType::go_syscall_begin, at, goroutine);
  begin.time = pending.time;
  begin.stack = pending.stack;
  // What did not block left at once: the format has no time for that.
  if (!blocked) emit(EventType::go_syscall_end, at, goroutine).time = pending.time + 1;
}

/// The event behind a system call is here: now it is known whether it blocked.
void FirstFormat::settle(std::uint64_t goroutine, bool blocked) {
  const auto found = pending_.find(goroutine);
  if (found == pending_.end()) return;
  const Pending pending = found->second;
  pending_.erase(found);
  if (goroutines_.find(goroutine) != no_slot) emit_syscall(goroutine, pending, blocked);
}

void FirstFormat::status(std::uint64_t goroutine, GoStatus status, const Proc& proc) {
  const auto early = early_.find(goroutine);
  Event& event = emit(EventType::go_status, proc, goroutine);
  event.b = static_cast<std::uint64_t>(status);
  event.first_status = true;
  event.start_stack = early == early_.end() ? 0 : early->second;
  if (early != early_.end()) early_.erase(early);
}

void FirstFormat::create(Proc& proc) {
  const std::uint64_t id = proc.head.args[1];
  if (const Slot old = goroutines_.find(id); old != no_slot) goroutines_.remove(old);
  if (slot_of(id, GoStatus::runnable) == no_slot) return;
  const StackId start = stacks_.find(proc.head.args[2], irregular_.unknown_names);
  if (early_phase_) {
    early_[id] = start;
    return;
  }
  Event& event = emit(EventType::go_create, proc, id);
  event.start_stack = start;
  event.stack = stack_argument(proc);
  event.b = proc.actor;
}

void FirstFormat::block(Proc& proc, const char* reason) {
  const bool stays = proc.head.type == first::go_sched || proc.head.type == first::go_preempt;
  const Slot slot = slot_of(proc.actor, GoStatus::running);
  if (slot == no_slot) return;
  goroutines_[slot].status = stays ? GoStatus::runnable : GoStatus::waiting;
  Event& event = emit(stays ? EventType::go_stop : EventType::go_block, proc, proc.actor);
  event.text = dictionary_.add_string(reason);
  event.stack = stack_argument(proc);
}

void FirstFormat::leave_syscall(Proc& proc) {
  const Raw& raw = proc.head;
  const bool local = raw.type == first::go_sys_exit_local;
  const Slot slot = slot_of(raw.args[1], GoStatus::waiting);
  if (slot == no_slot) return;
  goroutines_[slot].status = GoStatus::runnable;
  ++goroutines_[slot].sequence;
  Event& event = emit(EventType::go_syscall_end_blocked, proc, raw.args[1]);
  event.actor = event.slot;
  const std::uint64_t real = local ? raw.args[2] : raw.args[3];
  if (real != 0) event.time = nanos(real);
}

void FirstFormat::annotation(Proc& proc) {
  const Raw& raw = proc.head;
  Event* event = nullptr;
  switch (raw.type) {
    case first::user_task_create:
      event = &emit(EventType::user_task_begin, proc, proc.actor);
      event->b = raw.args[2];
      event->text = string(raw.args[3]);
      break;
    case first::user_task_end:
      event = &emit(EventType::user_task_end, proc, proc.actor);
      break;
    case first::user_region:
      event = &emit(raw.args[2] == 0 ? EventType::user_region_begin : EventType::user_region_end,
                    proc, proc.actor);
      event->text = string(raw.args[3]);
      break;
    default:
      return;
  }
  event->a = raw.args[1];
  event->stack = stack_argument(proc);
}

/// Until the first gomaxprocs event the trace tells what there was before it.
void FirstFormat::before_first_procs(Proc& proc) {
  const Raw& raw = proc.head;
  switch (raw.type) {
    case first::go_create:
      create(proc);
      return;
    case first::go_waiting:
    case first::go_in_syscall:
    case first::go_start:
    case first::go_start_local:
    case first::go_start_label: {
      const bool runs = first::starts(raw.type);
      const Slot slot = slot_of(raw.args[1], GoStatus::runnable);
      if (slot == no_slot) return;
      goroutines_[slot].status = runs ? GoStatus::running : GoStatus::waiting;
      ++goroutines_[slot].sequence;
      status(raw.args[1],
             runs                               ? GoStatus::running
             : raw.type == first::go_in_syscall ? GoStatus::syscall
                                                : GoStatus::waiting,
             proc);
      return;
    }
    case first::gomaxprocs:
      early_phase_ = false;
      while (!early_.empty()) status(early_.begin()->first, GoStatus::runnable, proc);
      emit(EventType::procs_change, proc, raw.args[1]);
      return;
    default:
      goroutine_event(proc);
  }
}

void FirstFormat::goroutine_event(Proc& proc) {
  const Raw& raw = proc.head;
  switch (raw.type) {
    case first::go_create:
      create(proc);
      return;
    case first::go_start:
    case first::go_start_local:
    case first::go_start_label: {
      const Slot slot = slot_of(raw.args[1], GoStatus::runnable);
      if (slot == no_slot) return;
      goroutines_[slot].status = GoStatus::running;
      ++goroutines_[slot].sequence;
      emit(EventType::go_start, proc, raw.args[1]);
      return;
    }
    case first::go_unblock:
    case first::go_unblock_local: {
      const Slot slot = slot_of(raw.args[1], GoStatus::waiting);
      if (slot == no_slot) return;
      goroutines_[slot].status = GoStatus::runnable;
      ++goroutines_[slot].sequence;
      emit(EventType::go_unblock, proc, raw.args[1]).stack = stack_argument(proc);
      return;
    }
    case first::go_end: {
      const Slot slot = slot_of(proc.actor, GoStatus::running);
      if (slot == no_slot) return;
      emit(EventType::go_destroy, proc, proc.actor);
      goroutines_.remove(slot);
      return;
    }
    case first::go_syscall:
      if (proc.actor != 0)
        pending_[proc.actor] = {nanos(proc.time), stack_argument(proc),
                                static_cast<std::uint32_t>(proc.id)};
      return;
    case first::go_sys_block: {
      const Slot slot = slot_of(proc.actor, GoStatus::running);
      if (slot != no_slot) goroutines_[slot].status = GoStatus::waiting;
      return;
    }
    case first::go_sys_exit:
    case first::go_sys_exit_local:
      leave_syscall(proc);
      return;
    default:
      runtime_event(proc);
  }
}

void FirstFormat::runtime_event(Proc& proc) {
  const Raw& raw = proc.head;
  switch (raw.type) {
    case first::gomaxprocs:
      emit(EventType::procs_change, proc, raw.args[1]);
      return;
    case first::gc_start:
      gc_sequence_ = raw.args[1] + 1;
      emit(EventType::gc_begin, proc, raw.args[1]);
      return;
    case first::heap_alloc:
      emit(EventType::heap_alloc, proc, raw.args[1]);
      return;
    case first::proc_start:
      emit(EventType::proc_start, proc, 0);
      return;
    case first::proc_stop:
      emit(EventType::proc_stop, proc, 0);
      return;
    case first::gc_done:
      emit(EventType::gc_end, proc, 0);
      return;
    case first::stw_start:
      emit(EventType::stw_begin, proc, 0);
      return;
    case first::stw_done:
      emit(EventType::stw_end, proc, 0);
      return;
    case first::gc_mark_assist_start:
      emit(EventType::gc_mark_assist_begin, proc, proc.actor).stack = stack_argument(proc);
      return;
    case first::gc_mark_assist_done:
      emit(EventType::gc_mark_assist_end, proc, proc.actor);
      return;
    default:
      annotation(proc);
  }
}

void FirstFormat::take(Proc& proc, bool force) {
  const std::uint8_t type = proc.head.type;
  if (force && first::leaves(type) && proc.actor == 0) return;
  if (proc.actor != 0) settle(proc.actor, type == first::go_sys_block);
  struct Block {
    first::Type type;
    const char* reason;
  };
  constexpr Block blocks[] = {{first::go_stop, "forever"},
                              {first::go_sched, "runtime.Gosched"},
                              {first::go_preempt, "preempted"},
                              {first::go_sleep, "sleep"},
                              {first::go_block, "unspecified"},
                              {first::go_block_send, "chan send"},
                              {first::go_block_recv, "chan receive"},
                              {first::go_block_select, "select"},
                              {first::go_block_sync, "sync"},
                              {first::go_block_cond, "sync.(*Cond).Wait"},
                              {first::go_block_net, "network"},
                              {first::go_block_gc, "GC mark assist wait for work"}};
  for (const Block& known : blocks)
    if (known.type == type) {
      if (proc.actor != 0) block(proc, known.reason);
      return;
    }
  if (early_phase_)
    before_first_procs(proc);
  else
    goroutine_event(proc);
}

}  // namespace weir::gotrace
