#include "weir/bytes/page_set.h"

#include <algorithm>

namespace weir::bytes {

void PageSet::add(std::uint64_t offset, std::uint64_t size) {
  if (size == 0 || offset / page_size >= pages_.size()) return;
  const std::uint64_t first = offset / page_size;
  const std::uint64_t last_byte = size - 1 > ~offset ? ~std::uint64_t{0} : offset + (size - 1);
  const std::uint64_t last = std::min<std::uint64_t>(last_byte / page_size, pages_.size() - 1);
  for (std::uint64_t page = first; page <= last; ++page) {
    if (pages_[page]) continue;
    pages_[page] = true;
    ++count_;
  }
}

std::vector<std::uint64_t> PageSet::indices() const {
  std::vector<std::uint64_t> all;
  all.reserve(count_);
  for (std::uint64_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page]) all.push_back(page);
  }
  return all;
}

}  // namespace weir::bytes
