#pragma once
// TraceIntervals: the events of a trace, one after the other, turned into what each goroutine did.
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weir/gotrace/event.h"
#include "weir/model/trace.h"

namespace weir::ingest {

/// Keeps one small record per goroutine that is alive. An interval is handed on when it ends.
class TraceIntervals : public gotrace::EventSink {
 public:
  /// All must outlive this. `names` must hold what the events name.
  TraceIntervals(const model::TraceNames& names, model::TraceSink& sink, bool running)
      : names_(names), sink_(sink), wants_running_(running) {}

  void take(std::span<const gotrace::Event> events) override;
  /// Hands on what is still open, as of the last event, and adds to `summary` what only now is
  /// known.
  void finish(model::TraceSummary& summary);

 private:
  /// What a goroutine is at: the interval as it will be handed on when it ends. Without a
  /// goroutine's number the slot is free.
  using Goroutine = model::TraceInterval;
  struct Region {
    std::uint32_t name = 0;
    std::uint32_t task = 0;
  };

  void one(const gotrace::Event& event);
  void seldom(const gotrace::Event& event);
  Goroutine* change(const gotrace::Event& event, model::TraceKind kind);
  Goroutine* change_here(const gotrace::Event& event, model::TraceKind kind);
  void unblock(const gotrace::Event& event);
  std::span<const gotrace::Event> begin(std::span<const gotrace::Event> events);
  void pass_time(const gotrace::Event& event) { last_ = std::max(last_, event.time); }
  Goroutine* find(const gotrace::Event& event);
  Goroutine* find_new(const gotrace::Event& event);
  void switch_from(const gotrace::Event& event);
  void end(Goroutine& goroutine);
  void other_event(const gotrace::Event& event);
  void annotation(const gotrace::Event& event);
  void create(const gotrace::Event& event);
  void status(const gotrace::Event& event);
  void assist(const gotrace::Event& event);
  static Goroutine stranger(std::uint64_t id);
  Goroutine& add(const gotrace::Event& event);
  void enter(Goroutine& goroutine, model::TraceKind kind, const gotrace::Event& event,
             std::uint64_t waker = 0, std::uint32_t waker_stack = 0);
  void leave(Goroutine& goroutine, const gotrace::Event& event);
  void hand_on(Goroutine& goroutine, std::int64_t end);
  Goroutine& at(gotrace::Slot slot) {
    if (slot >= slots_) grow(slot);
    return goroutines_[slot];
  }
  void grow(gotrace::Slot slot);
  std::uint64_t id_of(gotrace::Slot slot) const {
    return slot < slots_ ? goroutines_[slot].goroutine : 0;
  }
  void stand_at(Goroutine& goroutine, std::uint32_t stack) const;
  bool is_system(std::uint32_t start_stack) const;
  model::TraceKind kind_of(std::uint32_t reason, std::uint32_t stack);
  model::TraceKind find_kind(std::uint32_t reason, std::uint32_t stack);

  const model::TraceNames& names_;
  model::TraceSink& sink_;
  bool wants_running_;
  std::vector<Goroutine> goroutines_;                               // by slot
  std::size_t slots_ = 0;                                           // of goroutines_
  std::unordered_map<std::uint64_t, std::vector<Region>> regions_;  // by goroutine
  std::unordered_map<std::uint64_t, std::uint32_t> tasks_;          // name by number
  std::unordered_map<std::uint64_t, Goroutine> assists_;            // mark assists under way
  std::unordered_set<std::uint32_t> procs_;
  std::vector<std::uint8_t> sync_kinds_;    // by stack: TraceKind + 1; 0: not looked at
  std::vector<std::uint8_t> reason_kinds_;  // by string, the same; sync stands for "see the stack"

  std::int64_t first_ = 0, last_ = 0;
  bool any_ = false;
  std::uint64_t seen_ = 0, created_ = 0, ended_ = 0, backward_ = 0;
  std::int64_t running_ = 0;
  std::int64_t gc_since_ = -1, gc_active_ = 0, stop_since_ = -1, stopped_ = 0;
  std::uint64_t gc_cycles_ = 0, heap_largest_ = 0, gomaxprocs_ = 0;
  std::int64_t runnable_ = 0, runnable_most_ = 0;
  // The area below the number of goroutines that wait for a P, over time: minus the times at which
  // it went up, plus those at which it went down, plus what is left of it at the end.
  __extension__ __int128 runnable_area_ = 0;
};

}  // namespace weir::ingest
