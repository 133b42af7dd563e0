#pragma once
// LogHistogram: how often which duration, in buckets whose width grows with the duration.
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace weir::model {

/// Counts values in buckets of 1/32 of their power of two: a percentile is at most 3.2 % above the
/// true one (never below). Values below 64 are exact. Costs 256 bytes for each power of two that
/// occurs.
class LogHistogram {
 public:
  static constexpr unsigned sub_bits = 5;
  static constexpr std::size_t sub_buckets = std::size_t{1} << sub_bits;
  static constexpr std::size_t octaves = 64 - sub_bits;

  LogHistogram() = default;
  LogHistogram(LogHistogram&&) noexcept = default;
  LogHistogram& operator=(LogHistogram&&) noexcept = default;

  void add(std::uint64_t value) {
    const std::size_t octave = octave_of(value);
    if (!parts_[octave]) add_part(octave);
    ++(*parts_[octave])[sub_of(value, octave)];
  }
  void merge(const LogHistogram& other);
  std::uint64_t count() const;
  /// The smallest value v such that `share` (0…1) of all values are at most v, up to the width of
  /// a bucket. 0 without values.
  std::uint64_t percentile(double share) const;
  /// How many values are at least `value`, up to the width of a bucket.
  std::uint64_t count_from(std::uint64_t value) const;

  struct Bucket {
    std::uint64_t low = 0;    ///< inclusive
    std::uint64_t high = 0;   ///< inclusive
    std::uint64_t count = 0;  ///< never 0
  };
  /// Ascending; only what has values.
  std::vector<Bucket> buckets() const;
  /// The same in whole powers of two: [2^k, 2^(k+1)); the first is [0, 64).
  std::vector<Bucket> powers() const;

 private:
  using Part = std::array<std::uint64_t, sub_buckets>;

  void add_part(std::size_t octave);
  static std::size_t octave_of(std::uint64_t value) {
    const auto width = static_cast<std::size_t>(std::bit_width(value));
    return width <= sub_bits ? 0 : width - sub_bits;
  }
  static std::size_t sub_of(std::uint64_t value, std::size_t octave) {
    return octave == 0 ? value : (value >> (octave - 1)) - sub_buckets;
  }

  std::array<std::unique_ptr<Part>, octaves + 1> parts_;
};

}  // namespace weir::model
