// The merge: which thread's next event comes next.
#include "weir/gotrace/order.h"

#include <algorithm>
#include <cmath>

namespace weir::gotrace {
namespace {}  // namespace

std::int64_t to_nanos(std::uint64_t ticks, double nanos_per_tick) {
  constexpr double largest = 9e18;
  const double nanos = static_cast<double>(static_cast<std::int64_t>(ticks)) * nanos_per_tick;
  return static_cast<std::int64_t>(std::clamp(nanos, -largest, largest));
}

Order::Order(bytes::Bytes file, EventBlocks& events, std::function<void(bytes::Bytes)> release)
    : file_(file), blocks_(events), release_(std::move(release)) {}
Order::~Order() = default;

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

/// The earliest event cannot come yet: one event of another thread, the earliest that can.
bool Order::advance_another() {
  ++held_back_;
  const std::uint64_t budget = budget_.left(events_);
  std::uint64_t tries = budget;
  const std::size_t at = heap_.find_other(
      tries, [this](std::uint32_t index) { return advance(threads_[index], false) == Step::done; });
  budget_.use(budget - tries);
  if (at == 0) return false;
  Thread& thread = threads_[heap_.at(at).index];
  if (next_head(thread))
    heap_.postpone(at, thread.head.time);
  else
    heap_.drop(at);
  return true;
}

void Order::drain_all() {
  while (!heap_.empty()) {
    Thread& thread = threads_[heap_.top().index];
    switch (drain(thread, heap_.second_time())) {
      case Drained::later:
        heap_.postpone(0, thread.head.time);
        break;
      case Drained::ended:
        heap_.drop(0);
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
    heap_.add({thread.head.time, thread.index});
  }
  if (!has_origin_ && !heap_.empty()) {
    origin_ = heap_.top().time;
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
  blocks_.flush();
  for (Thread& thread : threads_) thread.batches = nullptr;
}

}  // namespace weir::gotrace
