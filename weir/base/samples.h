#pragma once
// Samples: the stacks of a profile with their values, by the hundred thousand. Readers fill it and
// analyses walk it, so that a profile changes hands without being copied.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace weir {

/// Keeps arrays for good: they never move, and memory grows by what they need, not by doubling.
template <class T>
class Runs {
 public:
  /// A copy of `run` that stays where it is for as long as this lives (also when it is moved).
  T* keep(std::span<const T> run) {
    T* const place = reserve(run.size());
    std::copy(run.begin(), run.end(), place);
    return place;
  }
  /// Takes over all that another one keeps.
  void absorb(Runs other) {
    std::move(other.blocks_.begin(), other.blocks_.end(), std::back_inserter(blocks_));
  }
  T* reserve(std::size_t size) {
    if (size > left_) {
      left_ = std::max(size, block_size);
      blocks_.push_back(std::make_unique_for_overwrite<T[]>(left_));
      free_ = blocks_.back().get();
    }
    T* const place = free_;
    free_ += size;
    left_ -= size;
    return place;
  }

 private:
  static constexpr std::size_t block_size = (std::size_t{256} << 10) / sizeof(T);
  std::vector<std::unique_ptr<T[]>> blocks_;
  T* free_ = nullptr;
  std::size_t left_ = 0;
};

/// One sample. What its numbers stand for, its profile says.
struct Sample {
  std::uint32_t* stack = nullptr;  ///< indices of locations, leaf first
  std::int64_t* values = nullptr;  ///< one for each sample type of the profile
  std::uint32_t depth = 0;
  std::uint32_t labels = 0;  ///< index of a set of labels; 0 is the empty set

  std::span<std::uint32_t> locations() const { return {stack, depth}; }
};

/// Owns the arrays of its samples. Movable; samples stay valid then.
class Samples {
 public:
  Samples() = default;
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  Samples(Samples&&) = default;
  Samples& operator=(Samples&&) = default;
  ~Samples() = default;

  std::size_t size() const { return samples_.size(); }
  bool empty() const { return samples_.empty(); }
  Sample& operator[](std::size_t index) { return samples_[index]; }
  const Sample& operator[](std::size_t index) const { return samples_[index]; }
  auto begin() { return samples_.begin(); }
  auto end() { return samples_.end(); }
  auto begin() const { return samples_.begin(); }
  auto end() const { return samples_.end(); }

  void add(std::span<const std::uint32_t> locations, std::span<const std::int64_t> values,
           std::uint32_t labels) {
    samples_.push_back({stacks_.keep(locations), values_.keep(values),
                        static_cast<std::uint32_t>(locations.size()), labels});
  }
  /// Room for a stack that a sample is to have instead of its own.
  std::span<std::uint32_t> new_stack(std::size_t depth) { return {stacks_.reserve(depth), depth}; }
  /// Appends the samples of another one.
  void absorb(Samples other) {
    samples_.insert(samples_.end(), other.samples_.begin(), other.samples_.end());
    stacks_.absorb(std::move(other.stacks_));
    values_.absorb(std::move(other.values_));
  }
  /// Keeps those for which `keep(sample)` is true; it is asked once for each, in their order.
  template <class Keep>
  void keep_if(Keep keep) {
    std::size_t kept = 0;
    for (Sample& sample : samples_)
      if (keep(sample)) samples_[kept++] = sample;
    samples_.resize(kept);
  }

 private:
  std::deque<Sample> samples_;
  Runs<std::uint32_t> stacks_;
  Runs<std::int64_t> values_;
};

}  // namespace weir
