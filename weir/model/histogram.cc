#include "weir/model/histogram.h"

#include <cmath>

namespace weir::model {

void LogHistogram::add_part(std::size_t octave) {
  parts_[octave] = std::make_unique<Part>();
}

void LogHistogram::merge(const LogHistogram& other) {
  for (std::size_t octave = 0; octave < parts_.size(); ++octave) {
    if (!other.parts_[octave]) continue;
    if (!parts_[octave]) parts_[octave] = std::make_unique<Part>();
    for (std::size_t sub = 0; sub < sub_buckets; ++sub)
      (*parts_[octave])[sub] += (*other.parts_[octave])[sub];
  }
}

std::vector<LogHistogram::Bucket> LogHistogram::buckets() const {
  std::vector<Bucket> all;
  for (std::size_t octave = 0; octave < parts_.size(); ++octave) {
    if (!parts_[octave]) continue;
    for (std::size_t sub = 0; sub < sub_buckets; ++sub) {
      const std::uint64_t count = (*parts_[octave])[sub];
      if (count == 0) continue;
      const std::uint64_t width = octave == 0 ? 1 : std::uint64_t{1} << (octave - 1);
      const std::uint64_t low = octave == 0 ? sub : (sub + sub_buckets) * width;
      all.push_back({low, low + (width - 1), count});
    }
  }
  return all;
}

std::vector<LogHistogram::Bucket> LogHistogram::powers() const {
  std::vector<Bucket> all;
  for (const Bucket& bucket : buckets()) {
    const auto width = static_cast<unsigned>(std::bit_width(bucket.low));
    const bool first = width <= 6;
    const std::uint64_t low = first ? 0 : std::uint64_t{1} << (width - 1);
    const std::uint64_t high = first ? 63 : low + (low - 1);
    if (!all.empty() && all.back().low == low)
      all.back().count += bucket.count;
    else
      all.push_back({low, high, bucket.count});
  }
  return all;
}

std::uint64_t LogHistogram::count() const {
  std::uint64_t sum = 0;
  for (const auto& part : parts_)
    if (part)
      for (const std::uint64_t count : *part) sum += count;
  return sum;
}

std::uint64_t LogHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count())));
  std::uint64_t seen = 0, last = 0;
  for (const Bucket& bucket : buckets()) {
    seen += bucket.count;
    last = bucket.high;
    if (seen >= wanted) break;
  }
  return last;
}

std::uint64_t LogHistogram::count_from(std::uint64_t value) const {
  std::uint64_t sum = 0;
  for (const Bucket& bucket : buckets())
    if (bucket.low >= value) sum += bucket.count;
  return sum;
}

}  // namespace weir::model
