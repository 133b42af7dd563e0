#include "weir/target/signal_relay.h"

#include <errno.h>
#include <time.h>

#include <algorithm>

namespace weir::target {

namespace {

using std::chrono::milliseconds;

/// How long a signal to weir waits for its twin at the child, and how long a twin is remembered.
constexpr milliseconds twin_wait{20};
constexpr milliseconds twin_memory{200};

timespec left_until(SignalRelay::Clock::time_point when) {
  const auto left =
      std::max(when - SignalRelay::Clock::now(), SignalRelay::Clock::duration::zero());
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace

SignalRelay::SignalRelay() {
  sigemptyset(&caught_);
  for (const int signal : {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM})
    sigaddset(&caught_, signal);
  pthread_sigmask(SIG_BLOCK, &caught_, &old_mask_);
  // With SIGCHLD ignored the kernel would reap the child and its status would be lost.
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &by_default, &old_child_action_);
}

SignalRelay::~SignalRelay() {
  // What came while the child was ending must not end weir before it has reported.
  const timespec at_once{};
  while (sigtimedwait(&caught_, nullptr, &at_once) > 0) {
  }
  sigaction(SIGCHLD, &old_child_action_, nullptr);
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void SignalRelay::restore_in_child() const {
  sigaction(SIGCHLD, &old_child_action_, nullptr);
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void SignalRelay::wait(pid_t child, std::optional<Clock::time_point> deadline, bool only_child) {
  sigset_t wanted = caught_;
  if (only_child) {
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
  } else if (const auto due = first_due()) {
    deadline = deadline ? std::min(*deadline, *due) : *due;
  }
  siginfo_t info{};
  const timespec left = deadline ? left_until(*deadline) : timespec{};
  const int signal = deadline ? sigtimedwait(&wanted, &info, &left) : sigwaitinfo(&wanted, &info);
  if (signal > 0 && signal != SIGCHLD) take(info);
  if (!only_child) relay_due(child);
}

void SignalRelay::take(const siginfo_t& info) {
  // The kernel's own (SI_KERNEL and other positive codes) come from the terminal, which has
  // signalled the child's group too; only an alarm set before weir was executed did not.
  if (info.si_code > 0 && info.si_signo != SIGALRM) return;
  const auto now = Clock::now();
  for (const Seen& seen : seen_) {
    if (seen.delivered && seen.signal == info.si_signo && seen.sender == info.si_pid &&
        now - seen.at < twin_memory)
      return;
  }
  seen_.push_back({info.si_signo, info.si_pid, now, false});
}

void SignalRelay::saw_delivery(int signal, pid_t sender) {
  if (sigismember(&caught_, signal) != 1 || signal == SIGCHLD) return;
  const auto twin = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& seen) {
    return !seen.delivered && seen.signal == signal && seen.sender == sender;
  });
  if (twin != seen_.end()) seen_.erase(twin);
  seen_.push_back({signal, sender, Clock::now(), true});
}

void SignalRelay::relay_due(pid_t child) {
  const auto now = Clock::now();
  for (auto seen = seen_.begin(); seen != seen_.end();) {
    const bool over = now - seen->at >= (seen->delivered ? twin_memory : twin_wait);
    if (over && !seen->delivered) {
      ++relayed_;
      kill(child, seen->signal);
    }
    seen = over ? seen_.erase(seen) : seen + 1;
  }
}

std::optional<SignalRelay::Clock::time_point> SignalRelay::first_due() const {
  std::optional<Clock::time_point> first;
  for (const Seen& seen : seen_)
    if (!seen.delivered && (!first || seen.at + twin_wait < *first)) first = seen.at + twin_wait;
  return first;
}

}  // namespace weir::target
