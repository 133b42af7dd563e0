#pragma once
// TraceIntervals: the events of a trace, one after the other, turned into what each goroutine did.
#include <array>
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
  static constexpr std::size_t block_size = 128;

  /// What a goroutine is at: the interval as it will be handed on when it ends. Without a
  /// goroutine's number the slot is free.
  using Goroutine = model::TraceInterval;
  struct Region {
    std::uint32_t name = 0;
    std::uint32_t task = 0;
  };

  void one(const gotrace::Event& event);
  void pass_time(const gotrace::Event& event);
  Goroutine* find(const gotrace::Event& event);
  void switch_from(const gotrace::Event& event);
  void end(Goroutine& goroutine);
  void other_event(const gotrace::Event& event);
  void annotation(const gotrace::Event& event);
  void create(const gotrace::Event& event);
  void status(const gotrace::Event& event);
  void assist(const gotrace::Event& event);
  static Goroutine stranger(std::uint64_t id);
  Goroutine& add(const gotrace::Event& event);
  void enter(Goroutine& goroutine, model::TraceKind kind, const gotrace::Event& event);
  void leave(Goroutine& goroutine, const gotrace::Event& event);
  void hand_on(const Goroutine& goroutine, std::int64_t end, bool open);
  void flush();
  Goroutine& at(gotrace::Slot slot) {
    if (slot >= goroutines_.size()) goroutines_.resize(slot + std::size_t{1} + slot / 2);
    return goroutines_[slot];
  }
  std::uint64_t id_of(gotrace::Slot slot) {
    return slot < goroutines_.size() ? goroutines_[slot].goroutine : 0;
  }
  void stand_at(Goroutine& goroutine, std::uint32_t stack) const;
  bool is_system(std::uint32_t start_stack) const;
  model::TraceKind kind_of(std::uint32_t reason, std::uint32_t stack);

  const model::TraceNames& names_;
  model::TraceSink& sink_;
  bool wants_running_;
  std::array<model::TraceInterval, block_size> block_;
  std::size_t in_block_ = 0;
  std::vector<Goroutine> goroutines_;                               // by slot
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
