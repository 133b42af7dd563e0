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

/// The batch does not decode from here on. What it says until here has been taken.
Order::Step Order::leave_out_rest(Thread& thread) {
  if (irregular_.bad_batches++ == 0)
    irregular_.first_bad_batch = (*thread.batches)[thread.next_batch - 1].offset;
  thread.bytes.at = thread.bytes.end;
  return Step::done;
}

/// Decodes the type and the time of the thread's next event; false at the end of its batches.
inline bool Order::decode_head(Thread& thread) {
  for (;;) {
    while (thread.bytes.left() == 0)
      if (!next_batch(thread)) return false;
    VarintReader reader{thread.bytes.at, thread.bytes.end};
    const std::uint8_t type = *reader.at++;
    std::uint64_t pause = 0;
    if (types.arguments[type] != 0xff && reader.read(pause) && pause < longest_pause) {
      thread.head.type = static_cast<EventType>(type);
      thread.head.time += pause;
      thread.bytes.at = reader.at;
      return true;
    }
    leave_out_rest(thread);
  }
}

bool Order::next_head(Thread& thread) {
  return decode_head(thread);
}

bool Order::read_arguments(VarintReader& reader, Head& head) {
  const std::uint8_t count = types.arguments[static_cast<std::uint8_t>(head.type)];
  for (std::uint8_t i = 0; i < count; ++i)
    if (!reader.read(head.args[i])) return false;
  return true;
}

inline Order::Step Order::go_start(Thread& thread, Sequenced what, bool force) {
  Slot slot = no_slot;
  const Step step = move(what, GoStatus::runnable, GoStatus::running, force, slot);
  if (step != Step::done || slot == no_slot) return step;
  emit(thread, slot).a = what.id;
  thread.goroutine = slot;
  return Step::done;
}

inline Order::Step Order::go_unblock(Thread& thread, Sequenced what, std::uint64_t at, bool force) {
  Slot slot = no_slot;
  const Step step = move(what, GoStatus::waiting, GoStatus::runnable, force, slot);
  if (step != Step::done || slot == no_slot) return step;
  Event& event = emit(thread, slot);
  event.stack = stack(at);
  event.a = what.id;
  return Step::done;
}

/// The current goroutine stops running, and goes on some time: go_stop, go_block.
inline Order::Step Order::go_leave(Thread& thread, std::uint64_t reason, std::uint64_t at) {
  const Slot slot = thread.goroutine;
  if (slot == no_slot) {
    ++irregular_.contradicting;
    return Step::done;
  }
  LiveGoroutine& goroutine = goroutines_[slot];
  Event& event = emit(thread, slot);
  event.a = goroutine.id;
  thread.goroutine = no_slot;
  goroutine.status =
      thread.head.type == EventType::go_block ? GoStatus::waiting : GoStatus::runnable;
  event.text = string(reason);
  event.stack = stack(at);
  return Step::done;
}

/// Any event; each argument is read with a look at where the batch ends.
Order::Step Order::advance_any(Thread& thread, bool force) {
  VarintReader reader{thread.bytes.at, thread.bytes.end};
  if (!read_arguments(reader, thread.head)) return leave_out_rest(thread);
  const auto& args = thread.head.args;
  Step step = Step::done;
  switch (thread.head.type) {
    case EventType::go_start:
      step = go_start(thread, {args[0], args[1]}, force);
      break;
    case EventType::go_unblock:
      step = go_unblock(thread, {args[0], args[1]}, args[2], force);
      break;
    case EventType::go_block:
    case EventType::go_stop:
      step = go_leave(thread, args[0], args[1]);
      break;
    default:
      step = advance_goroutine(thread, force);
      break;
  }
  return step == Step::done ? go_on(thread, reader) : step;
}

/// What has happened ends where `reader` is.
inline Order::Step Order::go_on(Thread& thread, const VarintReader& reader) {
  thread.bytes.at = reader.at;
  ++events_;
  return Step::done;
}

/// The head happens, if it can come now: then the thread's bytes begin behind it. The three events
/// that most of a trace is made of are decoded here, where the batch goes on for long enough.
[[gnu::always_inline]] inline Order::Step Order::advance_here(Thread& thread, bool force) {
  // Not a copy at once: a load of both waits until the store before it has reached the cache.
  VarintReader reader{thread.bytes.at, thread.bytes.end};
  if (reader.left() < 3 * VarintReader::longest) return advance_any(thread, force);
  Sequenced what;
  std::uint64_t reason = 0, at = 0;
  Step step = Step::done;
  switch (thread.head.type) {
    case EventType::go_start:
      if (!reader.read<true>(what.id) || !reader.read<true>(what.sequence))
        return leave_out_rest(thread);
      step = go_start(thread, what, force);
      break;
    case EventType::go_unblock:
      if (!reader.read<true>(what.id) || !reader.read<true>(what.sequence) ||
          !reader.read<true>(at))
        return leave_out_rest(thread);
      step = go_unblock(thread, what, at, force);
      break;
    case EventType::go_block:
      if (!reader.read<true>(reason) || !reader.read<true>(at)) return leave_out_rest(thread);
      step = go_leave(thread, reason, at);
      break;
    default:
      return advance_any(thread, force);
  }
  return step == Step::done ? go_on(thread, reader) : step;
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
    if (!decode_head(thread)) return Drained::ended;
  } while (thread.head.time < until);
  return Drained::later;
}

}  // namespace weir::gotrace
