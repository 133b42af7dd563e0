#pragma once
// Flame: the stacks of a profile as a tree of boxes, with what is too narrow to see folded away.
#include <cstdint>
#include <string>
#include <vector>

namespace weir::model {

/// A box; boxes stand in preorder, and the children of one fill it from the left.
struct FlameBox {
  std::uint32_t name = 0;   ///< index into Flame::names
  std::uint32_t depth = 0;  ///< 0 is the root, which is all of it
  std::int64_t value = 0;   ///< of the profile
  std::int64_t base = 0;    ///< of what it is compared with; 0 without one
};

/// One value of a label: how much of each box has it.
struct FlameLabel {
  std::string text;                                           ///< "handler: /orders"
  std::vector<std::pair<std::uint32_t, std::int64_t>> parts;  ///< (box, value), boxes ascending
};

struct Flame {
  std::string title, type, unit;
  bool compares = false;  ///< boxes have a base
  std::vector<std::string> names;
  std::vector<FlameBox> boxes;
  std::vector<FlameLabel> labels;
  double least_share = 0;    ///< of the whole; narrower boxes are folded into their caller
  std::uint64_t folded = 0;  ///< stacks that go on deeper than they are drawn
  std::int64_t folded_value = 0;
  std::uint64_t labels_left_out = 0;  ///< values of labels that there is no filter for
  std::uint64_t samples = 0;

  /// What a box's width stands for: with a base, both together, so that children fit their parent.
  static std::int64_t width(const FlameBox& box) { return box.value + box.base; }
};

}  // namespace weir::model
