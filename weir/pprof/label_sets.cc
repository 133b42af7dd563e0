#include "weir/pprof/label_sets.h"

#include <algorithm>

namespace weir::pprof {
namespace {

std::uint64_t hash_of(std::span<const Label> labels) {
  std::uint64_t hash = labels.size();
  for (const Label& label : labels) {
    for (const std::uint64_t part :
         {(std::uint64_t{label.key} << 32) | label.text, static_cast<std::uint64_t>(label.number),
          std::uint64_t{label.unit}}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
  }
  return hash;
}

}  // namespace

std::uint32_t LabelSets::intern(std::span<const Label> labels) {
  if (labels.empty()) return 0;
  const std::uint64_t hash = hash_of(labels);
  const auto [begin, end] = known_.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    const auto known = (*this)[at->second];
    if (std::equal(known.begin(), known.end(), labels.begin(), labels.end())) return at->second;
  }
  labels_.insert(labels_.end(), labels.begin(), labels.end());
  ends_.push_back(labels_.size());
  const auto set = static_cast<std::uint32_t>(ends_.size() - 1);
  known_.emplace(hash, set);
  return set;
}

}  // namespace weir::pprof
