#pragma once
// PageSet: which 4 KiB pages of a file an answer was made from. A recording keeps just those.
#include <cstdint>
#include <vector>

namespace weir::bytes {

/// A set of pages of one file. Offsets at or after the file's end are ignored. Not thread-safe.
class PageSet {
 public:
  static constexpr std::uint64_t page_size = 4096;

  explicit PageSet(std::uint64_t file_size)
      : pages_((file_size + page_size - 1) / page_size, false) {}

  /// Adds the pages of [offset, offset + size).
  void add(std::uint64_t offset, std::uint64_t size);
  bool contains(std::uint64_t page_index) const {
    return page_index < pages_.size() && pages_[page_index];
  }
  /// How many pages are in the set.
  std::size_t count() const { return count_; }
  /// The indices (offset / page_size) of the pages in the set, ascending.
  std::vector<std::uint64_t> indices() const;

 private:
  std::vector<bool> pages_;
  std::size_t count_ = 0;
};

}  // namespace weir::bytes
