#pragma once
// ReachMarker: what can be reached from words, conservatively. Internal to reach.h.
#include <atomic>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weir/gortime/heap_map.h"
#include "weir/gortime/large_memory.h"
#include "weir/gortime/reach.h"
#include "weir/gortime/reach_pending.h"

namespace weir::gortime {

/// Whether a word that leads to a place in a queue (a sudog) says that its goroutine may be woken.
/// One that only lies there, on the stack of a goroutine that is parked or in memory of C code,
/// does not: who wakes a goroutine needs the address of what it waits for, or has taken it out of
/// the queue already, which shows otherwise (docs/decisions/0007).
enum class Counts : std::uint8_t { for_all, not_for_queues };

/// Four flags for each object, side by side. Several threads may set them at once.
class ObjectFlags {
 public:
  static constexpr unsigned marked = 1, counted = 2, opaque = 4, watched = 8;

  explicit ObjectFlags(std::size_t objects) : words_(objects / per_word + 1) {}
  unsigned of(ObjectIndex i) const {
    const std::atomic_ref word(const_cast<std::uint64_t&>(words_[i / per_word]));
    return static_cast<unsigned>(word.load(std::memory_order_relaxed) >> shift(i)) & 15;
  }
  /// What they were before.
  unsigned set(ObjectIndex i, unsigned flag) {
    const std::atomic_ref word(words_[i / per_word]);
    const auto before = word.fetch_or(std::uint64_t{flag} << shift(i), std::memory_order_relaxed);
    return static_cast<unsigned>(before >> shift(i)) & 15;
  }
  void fetch_ahead(ObjectIndex i) const { __builtin_prefetch(&words_[i / per_word], 1); }

 private:
  static constexpr std::size_t per_word = 16;
  static constexpr unsigned shift(ObjectIndex i) { return i % per_word * 4; }
  LargeVector<std::uint64_t> words_;
};

/// One thread adds roots and asks; drain() has others help where there is much to do. Of the ways
/// that lead to an object the first is remembered: with several threads that may be another one in
/// each run. It is remembered where it costs no memory: an object that was followed has no more use
/// for its copy, whose first word then says who led to it.
class ReachMarker {
 public:
  /// `heap` must outlive it. drain() writes over the copies of objects that it follows.
  explicit ReachMarker(const HeapMap& heap) : heap_(heap), flags_(heap.object_count()) {}

  /// Roots of this kind count for nothing from now on.
  void leave_out(unsigned kinds) { without_ = kinds; }
  /// The object around `at` is one of the runtime's own that only the runtime goes through: it is
  /// marked when it is reached, but what it points to is not.
  void make_opaque(Address at);
  /// take_seen() is to tell when this object is marked, or marked for queues. Before any root.
  void watch(const FoundObject& object) { flags_.set(object.index, ObjectFlags::watched); }
  /// The object that `word` points into, and all that it leads to.
  void mark(std::uint64_t word, const ReachRoot& root) { mark(word, root, Counts::for_all); }
  /// Each of the words, which are at `at` on.
  void mark_words(std::span<const std::uint64_t> words, Address at, ReachRoot root,
                  Counts counts = Counts::for_all);
  /// Follows what has been marked until nothing new turns up.
  void drain();

  bool is_marked(const FoundObject& object) const {
    return (flags_.of(object.index) & ObjectFlags::marked) != 0;
  }
  /// The same of an opaque object, by a word that counts for queues.
  bool is_marked_for_queues(const FoundObject& object) const {
    return (flags_.of(object.index) & ObjectFlags::counted) != 0;
  }
  /// Watched objects that were marked since the last call; one may be there twice.
  std::vector<ObjectIndex> take_seen() { return std::exchange(own_.seen, {}); }
  /// How a watched object that is marked is reached, known after drain(): the objects from the root
  /// on, itself last.
  std::vector<ReachObject> path_to(const FoundObject& object, ReachRoot& root) const;
  std::size_t marked() const { return own_.marked; }

 private:
  /// A watched object that is not followed, so that its copy remembers nothing.
  struct End {
    ObjectIndex object = 0;
    std::uint32_t parent = 0;
  };
  /// What one thread has at hand.
  struct Share {
    PendingObjects pending;
    std::vector<ObjectIndex> seen;
    std::vector<End> ends;
    std::size_t marked = 0;
  };
  /// A word of an object that points into a span.
  struct Lead {
    std::uint64_t word = 0;
    const HeapMap::Page* page = nullptr;
    ObjectIndex parent = 0;
    FoundObject object = {};
  };
  class Pool;

  FoundObject object_of(const PendingObject& one) const {
    const HeapSpan& span = heap_.spans()[one.span];
    return {&span, one.slot, span.first + one.slot, span.scan};
  }
  bool is_followed(const FoundObject& object) const {
    return object.scan && (flags_.of(object.index) & ObjectFlags::opaque) == 0;
  }
  std::uint32_t parent_of(const FoundObject& object) const;
  void keep_ends();
  void mark(std::uint64_t word, const ReachRoot& root, Counts counts);
  bool visit(const FoundObject& object, std::uint32_t parent, Counts counts, Share& share);
  void gather_leads(Share& share, std::vector<Lead>& leads) const;
  void follow_some(Share& share, std::vector<Lead>& leads);
  void drain_together();

  static constexpr std::uint32_t is_root = 1U << 31;

  const HeapMap& heap_;
  ObjectFlags flags_;
  // Parents are another object's index, or is_root | index of roots_.
  std::vector<ReachRoot> roots_;  // that found something first
  Share own_;
  std::unordered_map<ObjectIndex, std::uint32_t> ends_;  // parents of such objects
  unsigned without_ = 0;
};

}  // namespace weir::gortime
