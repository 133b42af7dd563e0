#pragma once
// RunnerPool: runs of one test, several at a time. Results come in the order in which the runs were
// asked for, whoever made them.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "weir/sched/test_runner.h"

namespace weir::sched {

class RunnerPool {
 public:
  /// One runner works in the thread of the caller. `binary`, `options` and `watchdog` must outlive
  /// the pool, and RunOptions::leaks is called from several threads.
  RunnerPool(const TestBinary& binary, const RunOptions& options, Watchdog& watchdog)
      : binary_(binary), options_(options), own_(binary, options, watchdog) {}
  ~RunnerPool();
  RunnerPool(const RunnerPool&) = delete;
  RunnerPool& operator=(const RunnerPool&) = delete;

  /// `runners` at a time from now on, each of the others with a thread and a process of its own
  /// (ptrace binds a process to the thread that started it).
  void widen(unsigned runners);
  unsigned runners() const { return 1 + static_cast<unsigned>(threads_.size()); }

  void ask(Chooser chooser);
  /// The oldest run that was asked for; there must be one. Errors: those of TestRunner::run().
  Result<RunRecord> next();
  /// The caller's own runner, for runs that follow from each other.
  TestRunner& own() { return own_; }

 private:
  struct Job {
    Chooser chooser;
    bool begun = false;
    std::optional<Result<RunRecord>> result{};
  };
  void work();
  void clear();
  Job* first_to_begin();

  const TestBinary& binary_;
  const RunOptions& options_;
  TestRunner own_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  ///< changed in length by the caller's thread only
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weir::sched
