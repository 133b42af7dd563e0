// The merge: which thread's next event comes next.
#include "weir/gotrace/order.h"

#include <algorithm>
#include <cmath>

namespace weir::gotrace {
namespace {

constexpr std::size_t block_size = 256;
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

std::int64_t to_nanos(std::uint64_t ticks, double nanos_per_tick) {
  constexpr double largest = 9e18;
  const double nanos = static_cast<double>(static_cast<std::int64_t>(ticks)) * nanos_per_tick;
  return static_cast<std::int64_t>(std::clamp(nanos, -largest, largest));
}

Order::Order(bytes::Bytes file, EventSink& sink, std::function<void(bytes::Bytes)> release)
    : file_(file),
      sink_(sink),
      release_(std::move(release)),
      block_(std::make_unique<Event[]>(block_size)) {}
Order::~Order() = default;

void Order::flush() {
  if (in_block_ != 0) sink_.take({block_.get(), in_block_});
  in_block_ = 0;
}

Event& Order::emit(const Thread& thread, Slot slot) {
  if (in_block_ == block_size) flush();
  Event& event = block_[in_block_++];
  const std::uint64_t ticks = thread.head.time - origin_;
  event.time = whole_nanos_per_tick_ != 0 ? static_cast<std::int64_t>(ticks * whole_nanos_per_tick_)
                                          : to_nanos(ticks, nanos_per_tick_);
  event.type = thread.head.type;
  event.slot = slot;
  event.actor = thread.goroutine;
  event.stack = 0;
  event.text = 0;
  event.thread = thread.index;
  event.proc = thread.proc;
  return event;
}

Order::Thread& Order::thread_of(std::uint64_t id) {
  const auto [known, is_new] =
      thread_index_.emplace(id, static_cast<std::uint32_t>(threads_.size()));
  if (is_new) {
    threads_.emplace_back();
    threads_.back().id = id;
    threads_.back().index = known->second;
  }
  return threads_[known->second];
}

Order::Thread* Order::find_thread(std::uint64_t id) {
  const auto known = thread_index_.find(id);
  return known == thread_index_.end() ? nullptr : &threads_[known->second];
}

bool Order::next_batch(Thread& thread) {
  if (thread.next_batch > 0 && release_) {
    const Batch& done = (*thread.batches)[thread.next_batch - 1];
    release_(file_.subspan(done.offset, done.size));
  }
  if (thread.next_batch == thread.batches->size()) return false;
  const Batch& batch = (*thread.batches)[thread.next_batch++];
  thread.bytes = reader_of(file_.subspan(batch.offset, batch.size));
  thread.head.time = batch.time;
  return true;
}

/// Decodes the thread's next event; false at the end of its batches.
bool Order::next_head(Thread& thread) {
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

void Order::sift_down(std::size_t at) {
  const Waiting moved = heap_[at];
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].time < heap_[child].time) ++child;
    if (heap_[child].time >= moved.time) break;
    heap_[at] = heap_[child];
    at = child;
  }
  heap_[at] = moved;
}

void Order::drop_top() {
  heap_.front() = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0);
}

/// The earliest event cannot come yet: one event of another thread, the earliest that can.
bool Order::advance_another() {
  ++held_back_;
  std::vector<std::size_t> by_time(heap_.size());
  for (std::size_t i = 0; i < by_time.size(); ++i) by_time[i] = i;
  std::ranges::sort(by_time, {}, [this](std::size_t i) { return heap_[i].time; });
  for (const std::size_t i : by_time) {
    if (i == 0) continue;
    Thread& thread = threads_[heap_[i].thread];
    if (advance(thread, false) != Step::done) continue;
    if (next_head(thread)) {
      heap_[i].time = thread.head.time;
    } else {
      heap_[i] = heap_.back();
      heap_.pop_back();
    }
    std::ranges::make_heap(heap_, std::ranges::greater{}, &Waiting::time);
    return true;
  }
  return false;
}

/// One thread's events for as long as they are the earliest of all: the heap need not be touched.
Order::Drained Order::drain(Thread& thread, std::uint64_t until) {
  do {
    if (advance(thread, false) != Step::done) {
      heap_.front().time = thread.head.time;
      if (advance_another()) return Drained::reordered;
      ++irregular_.forced;
      advance(thread, true);
    }
    if (!next_head(thread)) return Drained::ended;
  } while (thread.head.time <= until);
  return Drained::later;
}

void Order::drain_all() {
  while (!heap_.empty()) {
    Thread& thread = threads_[heap_.front().thread];
    std::uint64_t until = ~std::uint64_t{0};
    if (heap_.size() > 1) until = heap_[1].time;
    if (heap_.size() > 2) until = std::min(until, heap_[2].time);
    switch (drain(thread, until)) {
      case Drained::later:
        heap_.front().time = thread.head.time;
        sift_down(0);
        break;
      case Drained::ended:
        drop_top();
        break;
      case Drained::reordered:
        break;
    }
  }
}

void Order::run(const Generation& generation, double nanos_per_tick) {
  ++generation_;
  stacks_ = &generation.stacks;
  strings_ = &generation.strings;
  nanos_per_tick_ = nanos_per_tick;
  const double whole = std::floor(nanos_per_tick);
  whole_nanos_per_tick_ =
      whole == nanos_per_tick && whole >= 1 && whole < 1e9 ? static_cast<std::uint64_t>(whole) : 0;
  for (const ThreadBatches& batches : generation.threads) thread_of(batches.thread);
  heap_.clear();
  for (const ThreadBatches& batches : generation.threads) {
    Thread& thread = thread_of(batches.thread);
    thread.batches = &batches.batches;
    thread.next_batch = 0;
    thread.bytes = {};
    if (batches.thread == no_thread || !next_head(thread)) continue;
    heap_.push_back({thread.head.time, thread.index});
  }
  std::ranges::make_heap(heap_, std::ranges::greater{}, &Waiting::time);
  if (!has_origin_ && !heap_.empty()) {
    origin_ = heap_.front().time;
    has_origin_ = true;
  }
  // What no thread wrote is the status of goroutines that nothing happened to before it was written
  // down, at the end of the generation: it holds from the generation's beginning, and its time is
  // the writer's.
  if (Thread* none = find_thread(no_thread); none != nullptr && none->batches != nullptr)
    while (next_head(*none)) {
      none->head.time = origin_;
      if (advance(*none, false) != Step::done) advance(*none, true);
    }
  drain_all();
  flush();
  for (Thread& thread : threads_) thread.batches = nullptr;
}

}  // namespace weir::gotrace
