#pragma once
// The threads that a proof is made by. Internal to reach.h.
#include <algorithm>
#include <thread>
#include <vector>

namespace weir::gortime {

/// More than a few only wait for memory.
inline unsigned reach_threads() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
}

/// Calls work(i) for each i below `count`, each on a thread of its own, 0 on the caller's, and
/// returns when all calls have. The threads have the caller's priority.
template <class Work>
void on_threads(unsigned count, const Work& work) {
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < count; ++i) others.emplace_back([&work, i] { work(i); });
  work(0);
}

}  // namespace weir::gortime
