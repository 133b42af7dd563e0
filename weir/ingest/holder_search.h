#pragma once
// HolderSearch: which of the objects that goroutines are blocked on some words lead to.
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "weir/gortime/heap_objects.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

/// A word to begin with, and the number of what it belongs to: a stack, a variable, a timer.
struct HolderRoot {
  std::uint64_t word = 0;
  std::uint32_t source = 0;
};

/// `source` leads to `object`.
struct HolderHit {
  Address object;
  std::uint32_t source = 0;
  bool operator==(const HolderHit&) const = default;
};

class HolderSearch {
 public:
  /// The objects are those that `goroutines` are blocked on. All must outlive it.
  HolderSearch(const std::vector<model::Goroutine>& goroutines, gortime::HeapObjects& heap,
               target::Memory& memory);

  /// Nobody is blocked on anything that has an address.
  bool empty() const { return extents_.empty(); }
  /// One of the runtime's own structures, which lead from a channel to whoever waits for it and on
  /// to all else that one waits for: not a way in which a program comes by a channel.
  void make_opaque(Address at);
  /// Nearest first, each once: a root points at the object or into the heap object around it, or
  /// leads there through at most three heap objects. What several roots lead to is followed from
  /// the nearest only. Takes what it follows from `left`, and ends when that is 0.
  std::vector<HolderHit> follow(std::vector<HolderRoot> roots, std::size_t most, std::size_t& left);

 private:
  /// The memory around one object that somebody is blocked on: [start, end).
  struct Extent {
    std::uint64_t start = 0, end = 0;
    Address object;
  };
  void add_extent(Address object);
  void add_hits(const HolderRoot& root, std::vector<HolderHit>& hits) const;
  bool may_be_in_extent(std::uint64_t word) const;
  bool is_opaque(Address start);
  std::vector<HolderRoot> next_level(const std::vector<HolderRoot>& level,
                                     std::unordered_set<std::uint64_t>& seen, std::size_t most,
                                     std::size_t& left);

  std::vector<Extent> extents_;
  gortime::HeapObjects& heap_;
  target::Memory& memory_;
  /// Bits, for each piece of memory that an extent is in one: most words lead nowhere, and this
  /// tells so from one place in memory.
  std::vector<bool> touched_;
  std::vector<std::uint64_t> opaque_;
  bool opaque_sorted_ = true;
};

}  // namespace weir::ingest
