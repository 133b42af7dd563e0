#pragma once
// GoroutineTable: the goroutines that are alive at a point of a trace, by id, in slots that are
// used again.
#include <cstdint>
#include <vector>

#include "weir/gotrace/event.h"

namespace weir::gotrace {

struct LiveGoroutine {
  std::uint64_t id = 0;
  std::uint64_t sequence = 0;    ///< of the last event that has one, in `generation`
  std::uint32_t generation = 0;  ///< a counter of the reader's own, not the file's number
  GoStatus status = GoStatus::bad;
};

class GoroutineTable {
 public:
  /// More goroutines than this at once are no trace of a real program.
  static constexpr std::size_t limit = std::size_t{1} << 24;

  GoroutineTable() : index_(mask_ + 1, 0) {}

  Slot find(std::uint64_t id) const {
    for (std::size_t i = home(id);; i = (i + 1) & mask_) {
      if (index_[i] == 0) return no_slot;
      if (slots_[index_[i] - 1].id == id) return index_[i] - 1;
    }
  }
  /// The id must not be in the table. no_slot if `limit` is reached.
  Slot add(std::uint64_t id) {
    if ((count_ + 1) * 2 > index_.size()) {
      if (count_ >= limit) return no_slot;
      grow();
    }
    Slot slot = 0;
    if (free_.empty()) {
      slot = static_cast<Slot>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot] = LiveGoroutine{id, 0, 0, GoStatus::bad};
    insert(slot);
    ++count_;
    return slot;
  }
  void remove(Slot slot);

  LiveGoroutine& operator[](Slot slot) { return slots_[slot]; }
  std::size_t size() const { return count_; }

 private:
  std::size_t home(std::uint64_t id) const { return ((id * 0x9e3779b97f4a7c15u) >> 20) & mask_; }
  void insert(Slot slot) {
    std::size_t i = home(slots_[slot].id);
    while (index_[i] != 0) i = (i + 1) & mask_;
    index_[i] = slot + 1;
  }
  void grow();

  std::size_t mask_ = 1023;  // of places in index_
  std::vector<LiveGoroutine> slots_;
  std::vector<Slot> free_;
  std::vector<std::uint32_t> index_;  // slot + 1; 0: empty. Linear probing, a power of two
  std::size_t count_ = 0;
};

}  // namespace weir::gotrace
