// What nearly every event passes: decoding, and the four events that most of a trace is made of.
// One file, so that the compiler makes one loop of it.
#include "weir/gotrace/order.h"

namespace weir::gotrace {
namespace {

constexpr std::uint64_t longest_pause = std::uint64_t{1} << 56;  // ticks; more is damage

struct TypeTable {
  std::uint8_t arguments[256] = {};  // without dt; 0xff: no timed event
  TypeTable() {
    for (unsigned i = 0; i < 256; ++i) {
      const EventSpec* spec = find_spec(static_cast<std::uint8_t>(i));
      arguments[i] = spec != nullptr && spec->timed
                         ? static_cast<std::uint8_t>(spec->argument_count - 1)
                         : std::uint8_t{0xff};
    }
  }
};
const TypeTable types;

}  // namespace

/// Decodes the thread's next event; false at the end of its batches.
inline bool Order::decode_next(Thread& thread) {
  for (;;) {
    while (thread.bytes.left() == 0)
      if (!next_batch(thread)) return false;
    VarintReader reader = thread.bytes;
    Head& head = thread.head;
    const std::uint8_t type = *reader.at++;
    const std::uint8_t count = types.arguments[type];
    std::uint64_t pause = 0;
    bool good = count != 0xff && reader.read(pause) && pause < longest_pause;
    for (std::uint8_t i = 0; i < count && good; ++i) good = reader.read(head.args[i]);
    if (good) {
      head.type = static_cast<EventType>(type);
      head.time += pause;
      thread.bytes.at = reader.at;
      ++events_;
      return true;
    }
    if (irregular_.bad_batches++ == 0)
      irregular_.first_bad_batch = (*thread.batches)[thread.next_batch - 1].offset;
    thread.bytes.at = thread.bytes.end;
  }
}

bool Order::next_head(Thread& thread) {
  return decode_next(thread);
}

inline Order::Step Order::go_start(Thread& thread, bool force) {
  Slot slot = no_slot;
  const Step step = move(thread, GoStatus::runnable, GoStatus::running, force, slot);
  if (step != Step::done || slot == no_slot) return step;
  emit(thread, slot).a = thread.head.args[0];
  thread.goroutine = slot;
  return Step::done;
}

inline Order::Step Order::go_unblock(Thread& thread, bool force) {
  Slot slot = no_slot;
  const Step step = move(thread, GoStatus::waiting, GoStatus::runnable, force, slot);
  if (step != Step::done || slot == no_slot) return step;
  Event& event = emit(thread, slot);
  event.stack = stack(thread.head.args[2]);
  event.a = thread.head.args[0];
  return Step::done;
}

/// The current goroutine stops running: go_stop, go_block, go_destroy.
inline Order::Step Order::go_leave(Thread& thread) {
  const Slot slot = thread.goroutine;
  if (slot == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  LiveGoroutine& goroutine = goroutines_[slot];
  Event& event = emit(thread, slot);
  event.a = goroutine.id;
  thread.goroutine = no_slot;
  if (thread.head.type == EventType::go_destroy) {
    goroutines_.remove(slot);
    return Step::done;
  }
  goroutine.status =
      thread.head.type == EventType::go_block ? GoStatus::waiting : GoStatus::runnable;
  event.text = string(thread.head.args[0]);
  event.stack = stack(thread.head.args[1]);
  return Step::done;
}

inline Order::Step Order::advance_here(Thread& thread, bool force) {
  switch (thread.head.type) {
    case EventType::go_start:
      return go_start(thread, force);
    case EventType::go_unblock:
      return go_unblock(thread, force);
    case EventType::go_block:
    case EventType::go_stop:
    case EventType::go_destroy:
      return go_leave(thread);
    case EventType::proc_start:
    case EventType::proc_steal:
    case EventType::proc_stop:
    case EventType::proc_status:
      return advance_proc(thread, force);
    default:
      return advance_goroutine(thread, force);
  }
}

Order::Step Order::advance(Thread& thread, bool force) {
  return advance_here(thread, force);
}

/// One thread's events for as long as they are the earliest of all: the heap need not be touched.
Order::Drained Order::drain(Thread& thread, std::uint64_t until) {
  do {
    if (advance_here(thread, false) != Step::done) {
      heap_.postpone(0, thread.head.time);
      if (advance_another()) return Drained::reordered;
      ++irregular_.forced;
      advance(thread, true);
    }
    if (!decode_next(thread)) return Drained::ended;
  } while (thread.head.time < until);
  return Drained::later;
}

}  // namespace weir::gotrace
