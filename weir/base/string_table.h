#pragma once
// StringTable: many strings in one piece of memory, named by number.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// A string's number in its profile's table; 0 is "".
using StringId = std::uint32_t;

/// Append only. Number 0 is always there and empty. Views are good until the next add().
class StringTable {
 public:
  StringId add(std::string_view text) {
    text_.append(text);
    ends_.push_back(text_.size());
    return static_cast<StringId>(ends_.size() - 1);
  }
  std::size_t size() const { return ends_.size(); }
  /// `id` must be < size().
  std::string_view operator[](StringId id) const {
    const std::size_t start = id == 0 ? 0 : ends_[id - 1];
    return std::string_view(text_).substr(start, ends_[id] - start);
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_ = {0};
};

}  // namespace weir
