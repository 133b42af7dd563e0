#pragma once
// Profile → Flame.
#include "weir/model/flame.h"
#include "weir/model/profile.h"

namespace weir::analysis {

struct FlameOptions {
  double least_share = 0.5 / 1200;  ///< half a pixel of a page 1,200 pixels wide
  // What keeps a page within 2 MB.
  std::size_t most_boxes = 24'000;        ///< the share grows until so many are enough
  std::size_t most_labels = 24;           ///< values of labels that can be filtered by
  std::size_t most_label_parts = 48'000;  ///< boxes of all those values
};

/// Samples below 0, which a difference has, count for the base. Memory is that of the boxes and a
/// few words for each sample, however deep the stacks are.
model::Flame flame(const model::Profile& profile, model::ValueChoice choice,
                   const FlameOptions& options = {});

}  // namespace weir::analysis
