// What each event does to goroutines, Ps and threads, and whether it can come yet. The rules are
// those of src/internal/trace/order.go (go1.26.8); where that gives up on a contradiction, this
// counts it and goes on with what the event says.
#include "weir/gotrace/order.h"

namespace weir::gotrace {
namespace {

// ProcStatus of tracev2.
constexpr std::uint8_t proc_running = 1;
constexpr std::uint8_t proc_idle = 2;
constexpr std::uint8_t proc_syscall = 3;
constexpr std::uint8_t proc_abandoned = 4;

}  // namespace

/// For events that a sound trace has only of goroutines known by then.
Slot Order::find_or_add(std::uint64_t id, GoStatus status) {
  Slot slot = goroutines_.find(id);
  if (slot != no_slot) return slot;
  slot = goroutines_.add(id);
  if (slot == no_slot) {
    ++irregular_.too_many;
    return no_slot;
  }
  LiveGoroutine& goroutine = goroutines_[slot];
  goroutine.status = status;
  goroutine.generation = generation_;
  return slot;
}

Order::Step Order::go_create(Thread& thread, bool force) {
  const bool in_syscall = thread.head.type == EventType::go_create_syscall;
  const std::uint64_t id = thread.head.args[0];
  Slot slot = goroutines_.find(id);
  if (slot != no_slot) {
    if (!force) return Step::not_yet;
    goroutines_.remove(slot);
  }
  slot = find_or_add(id, GoStatus::runnable);
  if (slot == no_slot) return Step::done;
  LiveGoroutine& goroutine = goroutines_[slot];
  goroutine.sequence = 0;
  if (in_syscall)
    goroutine.status = GoStatus::syscall;
  else if (thread.head.type == EventType::go_create_blocked)
    goroutine.status = GoStatus::waiting;
  Event& event = emit(thread, slot);
  event.a = id;
  event.b = thread.goroutine == no_slot ? 0 : goroutines_[thread.goroutine].id;
  event.start_stack = in_syscall ? 0 : stack(thread.head.args[1]);
  event.stack = in_syscall ? 0 : stack(thread.head.args[2]);
  if (in_syscall) thread.goroutine = slot;
  return Step::done;
}

Order::Step Order::go_status(Thread& thread) {
  const std::uint64_t id = thread.head.args[0], owner = thread.head.args[1];
  const std::uint64_t number = thread.head.args[2];
  if (number == 0 || number > static_cast<std::uint64_t>(GoStatus::waiting)) {
    ++irregular_.contradicting;
    return Step::done;
  }
  const auto status = static_cast<GoStatus>(number);
  const bool is_new = goroutines_.find(id) == no_slot;
  const Slot slot = find_or_add(id, status);
  if (slot == no_slot) return Step::done;
  LiveGoroutine& goroutine = goroutines_[slot];
  if (goroutine.status != status) ++irregular_.contradicting;
  goroutine.status = status;
  goroutine.sequence = 0;
  goroutine.generation = generation_;
  const bool has_stack = thread.head.type == EventType::go_status_stack;
  const StackId own_stack = has_stack ? stack(thread.head.args[3]) : 0;
  Event& event = emit(thread, slot);
  event.a = id;
  event.b = number;
  event.start_stack = own_stack;
  event.first_status = is_new;
  if (status == GoStatus::running)
    thread.goroutine = slot;
  else if (status == GoStatus::syscall && owner != no_thread)
    thread_of(owner).goroutine = slot;
  return Step::done;
}

Order::Step Order::go_switch(Thread& thread, bool force) {
  Slot slot = no_slot;
  const Sequenced what{thread.head.args[0], thread.head.args[1]};
  const Step step = move(what, GoStatus::waiting, GoStatus::running, force, slot);
  if (step != Step::done || slot == no_slot) return step;
  const Slot from = thread.goroutine;
  emit(thread, slot).a = what.id;
  thread.goroutine = slot;
  if (from == no_slot || from == slot) {
    ++irregular_.contradicting;
  } else if (thread.head.type == EventType::go_switch_destroy) {
    goroutines_.remove(from);
  } else {
    goroutines_[from].status = GoStatus::waiting;
  }
  return Step::done;
}

Order::Step Order::syscall_begin(Thread& thread) {
  if (thread.goroutine == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  goroutines_[thread.goroutine].status = GoStatus::syscall;
  if (thread.proc != no_proc) {
    Proc& p = proc(thread.proc);
    p.status = proc_syscall;
    p.sequence = thread.head.args[0];
    p.generation = generation_;
  }
  Event& event = emit(thread, thread.goroutine);
  event.stack = stack(thread.head.args[1]);
  event.a = goroutines_[thread.goroutine].id;
  return Step::done;
}

Order::Step Order::syscall_end(Thread& thread, bool force) {
  const bool blocked = thread.head.type == EventType::go_syscall_end_blocked;
  // It lost its P meanwhile; the theft must come first.
  if (blocked && !force && thread.proc != no_proc && proc(thread.proc).status == proc_syscall)
    return Step::not_yet;
  const Slot slot = thread.goroutine;
  if (slot == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  emit(thread, slot).a = goroutines_[slot].id;
  if (blocked) {
    goroutines_[slot].status = GoStatus::runnable;
    thread.goroutine = no_slot;
    return Step::done;
  }
  goroutines_[slot].status = GoStatus::running;
  if (thread.proc != no_proc) proc(thread.proc).status = proc_running;
  return Step::done;
}

Order::Step Order::destroy_in_syscall(Thread& thread) {
  const Slot slot = thread.goroutine;
  if (slot == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  emit(thread, slot).a = goroutines_[slot].id;
  goroutines_.remove(slot);
  thread.goroutine = no_slot;
  if (thread.proc != no_proc) proc(thread.proc).status = proc_abandoned;
  thread.proc = no_proc;
  return Step::done;
}

Order::Step Order::proc_start(Thread& thread, bool force) {
  const auto id = static_cast<std::uint32_t>(thread.head.args[0]);
  const auto known = procs_.find(id);
  const bool fits = known != procs_.end() && known->second.status == proc_idle &&
                    known->second.generation == generation_ &&
                    thread.head.args[1] == known->second.sequence + 1 && thread.proc == no_proc;
  if (!fits && !force) return Step::not_yet;
  procs_[id] = Proc{thread.head.args[1], generation_, proc_running};
  thread.proc = id;
  emit(thread, thread.goroutine);
  return Step::done;
}

Order::Step Order::proc_steal(Thread& thread, bool force) {
  const auto id = static_cast<std::uint32_t>(thread.head.args[0]);
  const auto known = procs_.find(id);
  const bool stealable = known != procs_.end() && (known->second.status == proc_syscall ||
                                                   known->second.status == proc_abandoned);
  const bool fits = stealable && known->second.generation == generation_ &&
                    thread.head.args[1] == known->second.sequence + 1;
  if (!fits && !force) return Step::not_yet;
  const bool lost = known != procs_.end() && known->second.status == proc_abandoned;
  procs_[id] = Proc{thread.head.args[1], generation_, proc_idle};
  emit(thread, thread.goroutine).a = id;
  Thread* from = find_thread(thread.head.args[2]);
  if (!lost && from != nullptr && from->proc == id) from->proc = no_proc;
  return Step::done;
}

/// The current goroutine ends.
Order::Step Order::go_destroy(Thread& thread) {
  const Slot slot = thread.goroutine;
  if (slot == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  emit(thread, slot).a = goroutines_[slot].id;
  thread.goroutine = no_slot;
  goroutines_.remove(slot);
  return Step::done;
}

Order::Step Order::advance_proc(Thread& thread, bool force) {
  switch (thread.head.type) {
    case EventType::proc_start:
      return proc_start(thread, force);
    case EventType::proc_steal:
      return proc_steal(thread, force);
    case EventType::proc_stop:
      if (thread.proc != no_proc) proc(thread.proc).status = proc_idle;
      emit(thread, thread.goroutine);
      thread.proc = no_proc;
      return Step::done;
    default: {  // proc_status
      const auto id = static_cast<std::uint32_t>(thread.head.args[0]);
      auto status = static_cast<std::uint8_t>(thread.head.args[1]);
      if (status == proc_abandoned && procs_.contains(id) && procs_[id].status == proc_syscall)
        status = proc_syscall;  // the reader knows more than the writer did
      procs_[id] = Proc{0, generation_, status};
      if (thread.head.args[1] == proc_running || thread.head.args[1] == proc_syscall)
        thread.proc = id;
      Event& event = emit(thread, no_slot);
      event.a = id;
      event.b = thread.head.args[1];
      return Step::done;
    }
  }
}

Order::Step Order::gc_cycle(Thread& thread, bool force) {
  const std::uint64_t sequence = thread.head.args[0];
  if (!force && gc_known_ && sequence != gc_sequence_ + 1) return Step::not_yet;
  gc_known_ = true;
  gc_sequence_ = sequence;
  emit(thread, thread.goroutine).a = sequence;
  return Step::done;
}

/// What moves no goroutine: its numbers are handed on.
Order::Step Order::advance_rare(Thread& thread) {
  const Head& head = thread.head;
  Event& event = emit(thread, thread.goroutine);
  event.a = head.args[0];
  event.b = head.args[1];
  switch (head.type) {
    case EventType::gc_mark_assist_active:
      event.slot = goroutines_.find(head.args[0]);
      break;
    case EventType::stw_begin:
      event.text = string(head.args[0]);
      event.stack = stack(head.args[1]);
      break;
    case EventType::procs_change:
    case EventType::user_task_end:
      event.stack = stack(head.args[1]);
      break;
    case EventType::gc_sweep_begin:
    case EventType::gc_mark_assist_begin:
      event.stack = stack(head.args[0]);
      break;
    case EventType::go_label:
      event.text = string(head.args[0]);
      break;
    case EventType::user_task_begin:
      event.text = string(head.args[2]);
      event.stack = stack(head.args[3]);
      break;
    case EventType::user_region_begin:
    case EventType::user_region_end:
      event.text = string(head.args[1]);
      event.stack = stack(head.args[2]);
      break;
    case EventType::user_log:
      event.text = string(head.args[1]);
      event.text2 = string(head.args[2]);
      event.stack = stack(head.args[3]);
      break;
    default:
      break;
  }
  return Step::done;
}

Order::Step Order::advance_goroutine(Thread& thread, bool force) {
  switch (thread.head.type) {
    case EventType::go_create:
    case EventType::go_create_syscall:
    case EventType::go_create_blocked:
      return go_create(thread, force);
    case EventType::go_status:
    case EventType::go_status_stack:
      return go_status(thread);
    case EventType::go_switch:
    case EventType::go_switch_destroy:
      return go_switch(thread, force);
    case EventType::go_syscall_begin:
      return syscall_begin(thread);
    case EventType::go_syscall_end:
    case EventType::go_syscall_end_blocked:
      return syscall_end(thread, force);
    case EventType::go_destroy:
      return go_destroy(thread);
    case EventType::go_destroy_syscall:
      return destroy_in_syscall(thread);
    case EventType::proc_start:
    case EventType::proc_steal:
    case EventType::proc_stop:
    case EventType::proc_status:
      return advance_proc(thread, force);
    case EventType::gc_active:
    case EventType::gc_begin:
    case EventType::gc_end:
      return gc_cycle(thread, force);
    default:
      return advance_rare(thread);
  }
}

}  // namespace weir::gotrace
