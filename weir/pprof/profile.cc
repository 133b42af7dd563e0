#include "weir/pprof/profile.h"

namespace weir::pprof {

SampleView Samples::view(std::size_t index, std::size_t value_count) const {
  const Ends start = index == 0 ? Ends{} : ends_[index - 1];
  const Ends end = ends_[index];
  return {std::span(locations_).subspan(start.locations, end.locations - start.locations),
          std::span(values_).subspan(index * value_count, value_count),
          std::span(labels_).subspan(start.labels, end.labels - start.labels)};
}

void Samples::add(const SampleView& sample) {
  locations_.insert(locations_.end(), sample.locations.begin(), sample.locations.end());
  values_.insert(values_.end(), sample.values.begin(), sample.values.end());
  labels_.insert(labels_.end(), sample.labels.begin(), sample.labels.end());
  ends_.push_back({locations_.size(), labels_.size()});
}

}  // namespace weir::pprof
