#pragma once
// TestRunner: runs one test again and again, each time from the same state of the process.
#include <memory>

#include "weir/sched/test_start.h"

namespace weir::sched {

/// Where a run begins.
enum class Beginning : std::uint8_t {
  copy,   ///< a copy of one process that stands at the test's beginning, if that can be copied
  fresh,  ///< a process of its own, started for it
};

class TestRunner {
 public:
  /// `options` and the others must outlive the runner.
  TestRunner(const TestBinary& binary, const RunOptions& options, Watchdog& watchdog,
             Beginning beginning = Beginning::copy)
      : binary_(binary), options_(options), watchdog_(watchdog), beginning_(beginning) {}

  /// Errors: what keeps the program from being started or controlled at all.
  Result<RunRecord> run(const Chooser& chooser);

 private:
  Result<void> start();
  void ask_for(const Chooser& chooser);
  Result<int> attend(pid_t pid, RunRecord& record);
  Result<void> on_stop(pid_t pid, RunRecord& record);
  Result<void> find_left_over(const EndState& end, RunRecord& record);
  void judge(RunRecord& record) const;
  void judge_message(RunRecord& record) const;
  void collect(RunRecord& record) const;

  const TestBinary& binary_;
  const RunOptions& options_;
  Watchdog& watchdog_;
  Beginning beginning_;
  std::unique_ptr<TestStart> start_;
  std::string unread_;  ///< why RunOptions::leaks could say nothing of the last run
};

}  // namespace weir::sched
