#pragma once
// TestStart: a process that stands where its test begins, with the agent in it. Until there it runs
// under ptrace; from there the agent decides.
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "weir/sched/binary.h"
#include "weir/sched/output.h"
#include "weir/sched/process.h"
#include "weir/sched/run.h"
#include "weir/sched/shared_memory.h"
#include "weir/target/process.h"

namespace weir::sched {

class TestStart {
 public:
  /// Starts the program and lets it run to its test. Errors: what keeps it from being controlled.
  static Result<std::unique_ptr<TestStart>> reach(const TestBinary& binary,
                                                  const RunOptions& options, Watchdog& watchdog);

  /// Why the test did not begin, if it did not.
  const std::optional<std::string>& failure() const { return failure_; }
  /// Every other thread was idle: a copy of the process does not need them.
  bool may_fork() const { return may_fork_; }

  /// Starts a copy of the process that runs the test. It is weir's own child, and not traced.
  Result<pid_t> fork();
  /// Lets the process itself run the test, once. It is not traced any more.
  Result<pid_t> release();

  /// Leaves the released process to itself, stopped, even when weir ends. `thread` gets these
  /// registers and, if given, this set of blocked signals.
  Result<void> leave(pid_t thread, const user_regs_struct& registers,
                     std::optional<std::uint64_t> blocked) {
    return process_->leave(thread, registers, blocked);
  }

  /// From a copy that stands at its end: what makes the copies to come faster.
  void learn_from(pid_t copy);
  bool has_learned() const { return learned_; }

  struct Listed {
    Goid id;
    std::uint32_t status = 0;
    std::uint8_t reason = 0;
    bool system = false;
  };
  /// All goroutines of the stopped process `pid`, which is this one or a copy.
  Result<std::vector<Listed>> list_goroutines(pid_t pid) const;
  /// It existed when the test began.
  bool is_older(Goid goroutine) const { return older_.contains(goroutine); }

  const SharedMemory& memory() const { return memory_; }
  Output& output() { return output_; }

 private:
  TestStart(const TestBinary& binary, const RunOptions& options, SharedMemory memory)
      : binary_(binary), options_(options), memory_(std::move(memory)) {}
  Result<void> launch();
  Result<void> map_agent();
  Result<void> run_to_test();
  Result<bool> on_hook(const Hook& hook, user_regs_struct& registers);
  Result<bool> let_queued_run(const user_regs_struct& registers);
  Result<void> skip_sysmon(user_regs_struct& registers);
  Result<void> begin(user_regs_struct registers);
  Result<void> install(Address m);
  Result<std::uint64_t> install_handler();
  Result<void> look_at_threads(Address own);
  Result<void> poke(Address at, std::byte value) { return process_->write_value(at, value); }

  const TestBinary& binary_;
  const RunOptions& options_;
  SharedMemory memory_;
  Output output_;
  std::unique_ptr<ControlledProcess> process_;
  pid_t thread_ = 0;
  user_regs_struct registers_{};  ///< where the test begins
  int runners_ = 0;               ///< hits of testing.tRunner
  int yields_ = 0;                ///< of the test's goroutine, before it begins
  bool begun_ = false;
  bool may_fork_ = false;
  bool learned_ = false;
  std::uint64_t extra_threads_ = 0;  ///< agent::Config
  std::optional<std::string> failure_;
  std::set<Goid> older_;
};

}  // namespace weir::sched
