#pragma once
// ReachMarker: what can be reached from words, conservatively. Internal to reach.h.
#include <span>
#include <vector>

#include "weir/gortime/heap_map.h"
#include "weir/gortime/reach.h"

namespace weir::gortime {

/// Whether a word that leads to a place in a queue (a sudog) says that its goroutine may be woken.
/// One that only lies there, on the stack of a goroutine that is parked or in memory of C code,
/// does not: who wakes a goroutine needs the address of what it waits for, or has taken it out of
/// the queue already, which shows otherwise (docs/decisions/0007).
enum class Counts : std::uint8_t { for_all, not_for_queues };

class ReachMarker {
 public:
  explicit ReachMarker(const HeapMap& heap)
      : heap_(heap),
        marks_(heap.object_count() / 64 + 1),
        opaque_(heap.object_count() / 64 + 1),
        counted_(heap.object_count() / 64 + 1),
        parents_(heap.object_count()) {}

  /// Roots of this kind count for nothing from now on.
  void leave_out(unsigned kinds) { without_ = kinds; }
  /// The object around `at` is one of the runtime's own that only the runtime goes through: it is
  /// marked when it is reached, but what it points to is not.
  void make_opaque(Address at);
  /// The object that `word` points into, and all that it leads to.
  void mark(std::uint64_t word, const ReachRoot& root);
  /// Each of the words, which are at `at` on.
  void mark_words(std::span<const std::uint64_t> words, Address at, ReachRoot root,
                  Counts counts = Counts::for_all);
  /// Follows what has been marked until nothing new turns up.
  void drain();

  bool is_marked(const FoundObject& object) const { return test(marks_, object.index()); }
  /// The same of an opaque object, by a word that counts for queues.
  bool is_marked_for_queues(const FoundObject& object) const {
    return test(counted_, object.index());
  }
  /// How a marked object is reached: the objects from the root on, itself last.
  std::vector<ReachObject> path_to(const FoundObject& object, ReachRoot& root) const;
  std::size_t marked() const { return marked_; }

 private:
  using Bits = std::vector<std::uint64_t>;
  static bool test(const Bits& bits, ObjectIndex i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
  static void set(Bits& bits, ObjectIndex i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool visit(std::uint64_t word, std::uint32_t parent, Counts counts);
  void mark(std::uint64_t word, const ReachRoot& root, Counts counts);

  static constexpr std::uint32_t is_root = 1U << 31;

  const HeapMap& heap_;
  Bits marks_, opaque_, counted_;
  std::vector<std::uint32_t> parents_;  // object index, or is_root | index of roots_
  std::vector<ReachRoot> roots_;        // that found something first
  std::vector<FoundObject> pending_;
  std::size_t marked_ = 0;
  unsigned without_ = 0;
};

}  // namespace weir::gortime
