#pragma once
// Crew: threads that sleep until there is work for the few milliseconds of a stop, when the CPUs of
// the stopped program are free.
#include <cstddef>
#include <functional>
#include <memory>

namespace weir::target {

class Crew {
 public:
  /// The caller's thread and n - 1 others, n ≥ 1. Starts threads: not during a stop.
  explicit Crew(unsigned n);
  Crew(Crew&&) noexcept;
  Crew& operator=(Crew&&) noexcept;
  ~Crew();

  unsigned size() const;

  /// Calls task(i) once for each i in [0, count), on all threads at once, and returns when all
  /// calls have returned. `task` must not throw. Allocates nothing. A thread that the scheduler
  /// wakes too late is not waited for: the others do its part.
  void run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::target
