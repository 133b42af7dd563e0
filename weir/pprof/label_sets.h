#pragma once
// LabelSets: the labels of samples, each distinct list of them once.
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "weir/base/string_table.h"

namespace weir::pprof {

/// A label of a sample: text, or a number with a unit.
struct Label {
  StringId key = 0;
  StringId text = 0;  ///< 0: it is a number
  std::int64_t number = 0;
  StringId unit = 0;  ///< of the number; 0 for none
  bool operator==(const Label&) const = default;
};

/// Lists of labels by number; 0 is the empty one. The order within a list counts.
class LabelSets {
 public:
  std::size_t size() const { return ends_.size(); }
  /// `set` must be < size().
  std::span<const Label> operator[](std::uint32_t set) const {
    const std::size_t start = set == 0 ? 0 : ends_[set - 1];
    return std::span(labels_).subspan(start, ends_[set] - start);
  }
  /// The number of this list; views are good until the next call.
  std::uint32_t intern(std::span<const Label> labels);
  /// Forgets what only intern() needs.
  void finish() { known_ = {}; }

 private:
  std::vector<Label> labels_;
  std::vector<std::size_t> ends_ = {0};
  std::unordered_multimap<std::uint64_t, std::uint32_t> known_;
};

}  // namespace weir::pprof
