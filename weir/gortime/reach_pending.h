#pragma once
// Objects that a marker has found and not followed yet. Internal to reach_marker.h.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace weir::gortime {

/// An object to be followed, from this part of it on.
struct PendingObject {
  std::uint32_t span = 0;  ///< its place among the heap's spans
  std::uint32_t slot = 0;
  std::uint32_t part = 0;
  std::uint32_t parent = 0;  ///< of part 0
};

/// A stack of them, in blocks: it may hold a good part of all objects, and a vector that doubles
/// would take twice that while it grows.
class PendingObjects {
 public:
  bool empty() const { return blocks_.empty(); }
  std::size_t size() const { return empty() ? 0 : (blocks_.size() - 1) * block_size + used_; }

  void push(const PendingObject& one) {
    if (used_ == block_size || empty()) add_block();
    (*blocks_.back())[used_++] = one;
  }

  /// Takes the last ones out, at most as many as there is room for, and says how many.
  std::size_t pop(std::span<PendingObject> into) {
    std::size_t count = 0;
    while (count < into.size() && !empty()) {
      const std::size_t some = std::min(into.size() - count, used_);
      const auto end = blocks_.back()->begin() + static_cast<std::ptrdiff_t>(used_);
      std::copy(end - static_cast<std::ptrdiff_t>(some), end,
                into.begin() + static_cast<std::ptrdiff_t>(count));
      count += some;
      used_ -= some;
      if (used_ == 0) drop_block();
    }
    return count;
  }

  /// Takes the older half out, which leads to more; in whole blocks, if there are several.
  PendingObjects take_half() {
    PendingObjects half;
    if (blocks_.size() < 2) {
      std::vector<PendingObject> last(used_ / 2);
      last.resize(pop(last));
      for (const PendingObject& one : last) half.push(one);
      return half;
    }
    const auto middle = blocks_.begin() + static_cast<std::ptrdiff_t>(blocks_.size() / 2);
    half.blocks_.assign(std::make_move_iterator(blocks_.begin()), std::make_move_iterator(middle));
    half.used_ = block_size;
    blocks_.erase(blocks_.begin(), middle);
    return half;
  }

 private:
  static constexpr std::size_t block_size = 4096;
  using Block = std::array<PendingObject, block_size>;

  void add_block() {
    blocks_.push_back(spare_ ? std::move(spare_) : std::make_unique_for_overwrite<Block>());
    used_ = 0;
  }
  void drop_block() {
    spare_ = std::move(blocks_.back());  // one that comes and goes is not made anew each time
    blocks_.pop_back();
    used_ = block_size;
  }

  std::vector<std::unique_ptr<Block>> blocks_;  // all full but the last
  std::size_t used_ = block_size;               // of the last
  std::unique_ptr<Block> spare_;
};

}  // namespace weir::gortime
