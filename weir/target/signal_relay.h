#pragma once
// SignalRelay: what happens to the signals that weir itself gets while a child runs under it.
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <deque>
#include <optional>

namespace weir::target {

/// While it lives, the signals that would end weir, SIGUSR1/2 and SIGCHLD are blocked in the
/// calling thread and taken synchronously. A signal sent to weir by somebody (`kill`, `go test` at
/// its timeout) goes on to the child. One that the terminal sends to the whole foreground group
/// (Ctrl-C, Ctrl-\, hang-up) is dropped: the child got its own. So is one that the child was seen
/// to get from the same sender just before or after (`kill` of the process group).
class SignalRelay {
 public:
  using Clock = std::chrono::steady_clock;

  SignalRelay();
  ~SignalRelay();
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

  /// In a forked child, before exec: the mask and dispositions weir was started with.
  void restore_in_child() const;

  /// Waits for SIGCHLD, or for a signal to relay, at most until the deadline (none = forever). With
  /// only_child, other signals stay pending.
  void wait(pid_t child, std::optional<Clock::time_point> deadline, bool only_child);
  /// Tells that the child is getting `signal` from `sender`.
  void saw_delivery(int signal, pid_t sender);
  /// How many signals went on to the child.
  int relayed() const { return relayed_; }

 private:
  struct Seen {
    int signal = 0;
    pid_t sender = 0;
    Clock::time_point at;
    bool delivered = false;  ///< the child got it; else weir did, and it waits to be relayed
  };
  void take(const siginfo_t& info);
  void relay_due(pid_t child);
  std::optional<Clock::time_point> first_due() const;

  sigset_t caught_;
  sigset_t old_mask_;
  struct sigaction old_child_action_;
  std::deque<Seen> seen_;
  int relayed_ = 0;
};

}  // namespace weir::target
