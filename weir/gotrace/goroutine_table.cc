#include "weir/gotrace/goroutine_table.h"

#include "weir/base/assert.h"

namespace weir::gotrace {

void GoroutineTable::grow() {
  const std::vector<std::uint32_t> before = std::move(index_);
  index_.assign(before.size() * 2, 0);
  mask_ = index_.size() - 1;
  for (const std::uint32_t entry : before)
    if (entry != 0) insert(entry - 1);
}

void GoroutineTable::remove(Slot slot) {
  std::size_t hole = home(slots_[slot].id);
  while (index_[hole] != slot + 1) {
    WEIR_ASSERT(index_[hole] != 0);
    hole = (hole + 1) & mask_;
  }
  // Pull back what the hole would cut off from its home.
  for (std::size_t i = (hole + 1) & mask_; index_[i] != 0; i = (i + 1) & mask_) {
    const std::size_t wanted = home(slots_[index_[i] - 1].id);
    if (((i - wanted) & mask_) < ((i - hole) & mask_)) continue;
    index_[hole] = index_[i];
    hole = i;
  }
  index_[hole] = 0;
  slots_[slot].id = 0;
  slots_[slot].status = GoStatus::bad;
  free_.push_back(slot);
  --count_;
}

}  // namespace weir::gotrace
