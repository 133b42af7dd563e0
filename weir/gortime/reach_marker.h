#pragma once
// ReachMarker: what can be reached from words, conservatively. Internal to reach.h.
#include <span>
#include <vector>

#include "weir/gortime/heap_map.h"
#include "weir/gortime/reach.h"

namespace weir::gortime {

class ReachMarker {
 public:
  explicit ReachMarker(const HeapMap& heap)
      : heap_(heap),
        marks_(heap.object_count() / 64 + 1),
        opaque_(heap.object_count() / 64 + 1),
        parents_(heap.object_count()) {}

  /// Roots of this kind count for nothing from now on.
  void leave_out(unsigned kinds) { without_ = kinds; }
  /// The object around `at` is one of the runtime's own that only the runtime goes through: it is
  /// marked when it is reached, but what it points to is not.
  void make_opaque(Address at);
  /// The object that `word` points into, and all that it leads to.
  void mark(std::uint64_t word, const ReachRoot& root);
  /// Each of the words, which are at `at` on.
  void mark_words(std::span<const std::uint64_t> words, Address at, ReachRoot root);
  /// Follows what has been marked until nothing new turns up.
  void drain();

  bool is_marked(const FoundObject& object) const { return test(marks_, object.index()); }
  /// How a marked object is reached: the objects from the root on, itself last.
  std::vector<ReachObject> path_to(const FoundObject& object, ReachRoot& root) const;
  std::size_t marked() const { return marked_; }

 private:
  using Bits = std::vector<std::uint64_t>;
  static bool test(const Bits& bits, ObjectIndex i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
  static void set(Bits& bits, ObjectIndex i) { bits[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool visit(std::uint64_t word, std::uint32_t parent);

  static constexpr std::uint32_t is_root = 1U << 31;

  const HeapMap& heap_;
  Bits marks_, opaque_;
  std::vector<std::uint32_t> parents_;  // object index, or is_root | index of roots_
  std::vector<ReachRoot> roots_;        // that found something first
  std::vector<FoundObject> pending_;
  std::size_t marked_ = 0;
  unsigned without_ = 0;
};

}  // namespace weir::gortime
