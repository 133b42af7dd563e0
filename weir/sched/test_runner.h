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

/// A process that stands before a point of its schedule (state T), and belongs to nobody.
struct Standing {
  pid_t pid = 0;
  pid_t thread = 0;  ///< that is about to reach the point
  RunRecord record;  ///< the points before
};

class TestRunner {
 public:
  /// `options` and the others must outlive the runner.
  TestRunner(const TestBinary& binary, const RunOptions& options, Watchdog& watchdog,
             Beginning beginning = Beginning::copy)
      : binary_(binary), options_(options), watchdog_(watchdog), beginning_(beginning) {}

  /// Errors: what keeps the program from being started or controlled at all.
  Result<RunRecord> run(const Chooser& chooser);
  /// Runs until `point` (from 1) is next, and leaves the process stopped there, for a debugger;
  /// when it goes on, it follows the chooser. A ready case that a select takes is no place to stand
  /// before. Errors: also gone, if it ends before.
  Result<Standing> run_to(const Chooser& chooser, std::uint32_t point);

 private:
  Result<void> start();
  bool copies() const;
  agent::Look look() const;
  void ask_for(const Chooser& chooser);
  bool wait_for_stand(pid_t pid);
  Result<int> attend(pid_t pid, RunRecord& record);
  Result<void> on_stop(pid_t pid, RunRecord& record);
  Result<void> find_left_over(const EndState& end, RunRecord& record);
  void judge(RunRecord& record) const;
  void judge_message(RunRecord& record) const;
  void judge_death(int status, RunRecord& record) const;
  void collect(RunRecord& record) const;
  void collect_observations(RunRecord& record) const;

  const TestBinary& binary_;
  const RunOptions& options_;
  Watchdog& watchdog_;
  Beginning beginning_;
  std::unique_ptr<TestStart> start_;
  std::string unread_;  ///< why RunOptions::leaks could say nothing of the last run
};

}  // namespace weir::sched
