#pragma once
// Order: the events of all threads in the order in which they happened. Clocks of threads agree
// only roughly; what decides are the sequence numbers of goroutines and Ps
// (src/internal/trace/order.go, go1.26.8).
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "weir/gotrace/event.h"
#include "weir/gotrace/event_blocks.h"
#include "weir/gotrace/generation.h"
#include "weir/gotrace/goroutine_table.h"
#include "weir/gotrace/merge_heap.h"

namespace weir::gotrace {

/// What a damaged or impossible trace made necessary. All zero for a sound one.
struct Irregularities {
  std::uint64_t forced = 0;           ///< events for which no order fits; taken by time
  std::uint64_t contradicting = 0;    ///< events that contradict the state of their goroutine
  std::uint64_t bad_batches = 0;      ///< batches whose rest does not decode
  std::uint64_t first_bad_batch = 0;  ///< its offset
  std::uint64_t unknown_names = 0;    ///< references to stacks and strings that are not there
  std::uint64_t too_many = 0;         ///< goroutines above GoroutineTable::limit
};

/// A difference of ticks (negative ones wrapped) in nanoseconds, rounded towards zero.
std::int64_t to_nanos(std::uint64_t ticks, double nanos_per_tick);

class Order {
 public:
  /// `release` is told of bytes that will not be looked at again. It may be null.
  Order(bytes::Bytes file, EventBlocks& events, std::function<void(bytes::Bytes)> release);
  ~Order();

  /// Orders one generation's events and hands them on; they have been taken when it returns.
  /// Generations come in the file's order.
  void run(const Generation& generation, double nanos_per_tick);

  const Irregularities& irregularities() const { return irregular_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t held_back() const { return held_back_; }
  std::uint64_t thread_id(std::uint32_t index) const { return threads_[index].id; }
  std::size_t thread_count() const { return threads_.size(); }
  /// The first event of any thread, in ticks.
  std::uint64_t origin() const { return origin_; }

 private:
  /// The next event. Its arguments are decoded only when it may come, and those of the most
  /// frequent ones are never put down in here.
  struct Head {
    std::uint64_t time = 0;  // ticks
    EventType type = EventType::none;
    std::uint64_t args[most_event_arguments] = {};
  };
  /// A goroutine's id, and which of its events this is.
  struct Sequenced {
    std::uint64_t id = 0, sequence = 0;
  };
  struct Thread {
    std::uint64_t id = 0;
    std::uint32_t index = 0;
    Slot goroutine = no_slot;
    std::uint32_t proc = no_proc;
    Head head;
    VarintReader bytes;  // from the head's arguments on
    const std::vector<Batch>* batches = nullptr;
    std::size_t next_batch = 0;
  };
  struct Proc {
    std::uint64_t sequence = 0;
    std::uint32_t generation = 0;
    std::uint8_t status = 0;  // ProcStatus of tracev2
  };
  enum class Drained : std::uint8_t { later, ended, reordered };
  enum class Step : std::uint8_t { done, not_yet };

  bool decode_head(Thread& thread);
  bool next_head(Thread& thread);
  bool read_arguments(VarintReader& reader, Head& head);
  Step leave_out_rest(Thread& thread);
  Step go_on(Thread& thread, const VarintReader& reader);
  bool next_batch(Thread& thread);
  Drained drain(Thread& thread, std::uint64_t until);
  void drain_all();
  bool advance_another();

  Step advance_here(Thread& thread, bool force);
  Step advance_any(Thread& thread, bool force);
  Step advance(Thread& thread, bool force);
  Step advance_goroutine(Thread& thread, bool force);
  Step advance_proc(Thread& thread, bool force);
  Step advance_rare(Thread& thread);
  Step go_start(Thread& thread, Sequenced what, bool force);
  Step go_unblock(Thread& thread, Sequenced what, std::uint64_t at, bool force);
  Step go_switch(Thread& thread, bool force);
  Step go_leave(Thread& thread, std::uint64_t reason, std::uint64_t at);
  Step go_destroy(Thread& thread);
  Step go_create(Thread& thread, bool force);
  Step go_status(Thread& thread);
  Step syscall_begin(Thread& thread);
  Step syscall_end(Thread& thread, bool force);
  Step destroy_in_syscall(Thread& thread);
  Step proc_start(Thread& thread, bool force);
  Step proc_steal(Thread& thread, bool force);
  Step gc_cycle(Thread& thread, bool force);
  Slot find_or_add(std::uint64_t id, GoStatus status);
  Step move(Sequenced what, GoStatus from, GoStatus to, bool force, Slot& slot);
  bool succeeds(const LiveGoroutine& goroutine, std::uint64_t sequence) const {
    return goroutine.generation == generation_ && sequence == goroutine.sequence + 1;
  }
  Proc& proc(std::uint64_t id) { return procs_[static_cast<std::uint32_t>(id)]; }
  Thread* find_thread(std::uint64_t id);
  Thread& thread_of(std::uint64_t id);

  Event& emit(const Thread& thread, Slot slot);
  StackId stack(std::uint64_t local) { return stacks_->find(local, irregular_.unknown_names); }
  StringId string(std::uint64_t local) { return strings_->find(local, irregular_.unknown_names); }

  bytes::Bytes file_;
  EventBlocks& blocks_;
  std::function<void(bytes::Bytes)> release_;
  GoroutineTable goroutines_;
  std::deque<Thread> threads_;  // a deque: references stay when one is added
  std::unordered_map<std::uint64_t, std::uint32_t> thread_index_;
  std::unordered_map<std::uint32_t, Proc> procs_;
  MergeHeap heap_;
  SearchBudget budget_;
  const LocalIds* stacks_ = nullptr;
  const LocalIds* strings_ = nullptr;
  std::uint32_t generation_ = 0;
  double nanos_per_tick_ = 64;
  std::uint64_t whole_nanos_per_tick_ = 64;  // 0: not a whole number
  std::uint64_t origin_ = 0;
  bool has_origin_ = false;
  std::uint64_t gc_sequence_ = 0;
  bool gc_known_ = false;
  std::uint64_t events_ = 0, held_back_ = 0;
  Irregularities irregular_;
};

/// The goroutine that the event names goes from one status to another, if it is in that and this is
/// its next event; with `force` in any case. `slot` is no_slot if there are too many.
inline Order::Step Order::move(Sequenced what, GoStatus from, GoStatus to, bool force, Slot& slot) {
  slot = goroutines_.find(what.id);
  const bool fits = slot != no_slot && goroutines_[slot].status == from &&
                    succeeds(goroutines_[slot], what.sequence);
  if (!fits) {
    if (!force) return Step::not_yet;
    slot = find_or_add(what.id, from);
    if (slot == no_slot) return Step::done;
  }
  LiveGoroutine& goroutine = goroutines_[slot];
  goroutine.status = to;
  goroutine.sequence = what.sequence;
  goroutine.generation = generation_;
  return Step::done;
}

inline Event& Order::emit(const Thread& thread, Slot slot) {
  Event& event = blocks_.add();
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

}  // namespace weir::gotrace
