#include "weir/sched/chooser.h"

#include <algorithm>
#include <map>

namespace weir::sched {
namespace {

class RandomChooser final : public Chooser {
 public:
  explicit RandomChooser(std::uint64_t seed) : random_(seed), odds_(2U << random_.below(4)) {}

  std::size_t choose(const ChoicePoint& point) override {
    if (!point.preemption) return random_.below(point.enabled.size());
    if (random_.below(odds_) != 0) return 0;
    return 1 + random_.below(point.enabled.size() - 1);
  }

 private:
  Random random_;
  std::size_t odds_;
};

class PctChooser final : public Chooser {
 public:
  PctChooser(std::uint64_t seed, unsigned depth, std::size_t length) : random_(seed) {
    for (unsigned i = 1; i < depth; ++i)
      changes_.push_back(random_.below(std::max<std::size_t>(length, 1)));
    std::sort(changes_.begin(), changes_.end());
  }

  std::size_t choose(const ChoicePoint& point) override {
    std::size_t best = pick(point);
    if (changed_ < changes_.size() && steps_ >= changes_[changed_]) {
      priorities_[point.enabled[best]] = lowest - changed_;
      ++changed_;
      best = pick(point);
    }
    ++steps_;
    return best;
  }

 private:
  std::size_t pick(const ChoicePoint& point) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < point.enabled.size(); ++i)
      if (priority(point.enabled[i]) > priority(point.enabled[best])) best = i;
    return best;
  }
  std::uint64_t priority(Goid id) {
    const auto [entry, fresh] = priorities_.emplace(id, 0);
    if (fresh) entry->second = lowest + 1 + random_.next() % (UINT64_MAX / 2);
    return entry->second;
  }

  static constexpr std::uint64_t lowest = 1'000;
  Random random_;
  std::map<Goid, std::uint64_t> priorities_;
  std::vector<std::size_t> changes_;  ///< at which points; ascending
  std::size_t changed_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::size_t FixedChooser::choose(const ChoicePoint& point) {
  if (next_ >= choices_.size()) return 0;
  const std::uint32_t choice = choices_[next_++];
  return choice < point.enabled.size() ? choice : 0;
}

std::unique_ptr<Chooser> make_random_chooser(std::uint64_t seed) {
  return std::make_unique<RandomChooser>(seed);
}

std::unique_ptr<Chooser> make_pct_chooser(std::uint64_t seed, unsigned depth, std::size_t length) {
  return std::make_unique<PctChooser>(seed, depth, length);
}

}  // namespace weir::sched
