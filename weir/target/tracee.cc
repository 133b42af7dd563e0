#include "weir/target/tracee.h"

#include <elf.h>
#include <errno.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

namespace weir::target {

namespace {

/// int3 leaves the program counter behind itself.
constexpr std::uint64_t int3_size = 1;

bool is_group_stop_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

Error gone_error(pid_t tid) {
  return Error{ErrorCode::gone, fmt::format("thread {} has ended", tid), {}, 0, {}};
}

}  // namespace

TraceeEvent Tracee::next(std::optional<Clock::time_point> deadline) {
  while (true) {
    while (reap()) {
    }
    while (!events_.empty()) {
      const TraceeEvent event = events_.front();
      events_.pop_front();
      const auto thread = threads_.find(event.thread);
      if (event.kind != TraceeEvent::Kind::ended && thread == threads_.end()) continue;
      if (event.kind == TraceeEvent::Kind::breakpoint && !breakpoints_.contains(event.at)) {
        thread->second = {State::stopped, 0};  // removed meanwhile: nobody wants this hit
        if (holds_ == 0) go_on(event.thread, thread->second);
        continue;
      }
      return event;
    }
    if (ended_) return {TraceeEvent::Kind::ended, 0, {}, wait_status_};
    if (deadline && Clock::now() >= *deadline) return {};
    relay_.wait(pid_, deadline, false);
  }
}

Result<void> Tracee::resume(pid_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return fail(gone_error(tid));
  if (found->second.state != State::event) return {};
  found->second.state = State::stopped;
  WEIR_TRY_VOID(step_over(tid));
  const auto again = threads_.find(tid);
  if (again != threads_.end() && holds_ == 0 && again->second.state == State::stopped)
    go_on(tid, again->second);
  return {};
}

// Takes one wait status, if there is one, and acts on it.
bool Tracee::reap() {
  if (ended_) return false;
  int status = 0;
  const pid_t tid = waitpid(-1, &status, __WALL | WNOHANG | __WNOTHREAD);
  if (tid <= 0) return false;
  if (WIFEXITED(status) || WIFSIGNALED(status))
    on_end(tid, status);
  else if (WIFSTOPPED(status))
    on_stop(tid, status);
  return true;
}

void Tracee::on_end(pid_t tid, int status) {
  const bool known = threads_.erase(tid) > 0;
  if (tid == stepping_) step_status_ = status;
  if (tid != pid_ || !known) return;
  ended_ = true;
  wait_status_ = status;
  events_.clear();
}

bool Tracee::is_thread_of_ours(pid_t tid) const {
  struct stat entry {};
  return stat(fmt::format("/proc/{}/task/{}", pid_, tid).c_str(), &entry) == 0;
}

void Tracee::on_stop(pid_t tid, int status) {
  auto found = threads_.find(tid);
  if (found == threads_.end()) {
    if (!is_thread_of_ours(tid)) {
      // A process made by a clone() that the kernel takes for a thread's: not ours to trace.
      ptrace(PTRACE_DETACH, tid, 0, 0);
      return;
    }
    found = threads_.emplace(tid, Thread{}).first;
  }
  Thread& thread = found->second;
  if (tid == stepping_) {
    step_status_ = status;
    thread.state = State::stopped;
    return;
  }
  const int event = status >> 16;
  if (event != 0)
    on_event_stop(tid, thread, event, WSTOPSIG(status));
  else
    on_signal_stop(tid, thread, WSTOPSIG(status));
  const auto still = threads_.find(tid);
  if (still == threads_.end() || holds_ != 0) return;
  if (still->second.state == State::stopped || still->second.state == State::group)
    go_on(tid, still->second);
}

void Tracee::on_signal_stop(pid_t tid, Thread& thread, int signal) {
  thread.state = State::stopped;
  thread.signal = signal;
  if (signal == SIGTRAP && on_trap(tid, thread)) return;
  siginfo_t info{};
  if (ptrace(PTRACE_GETSIGINFO, tid, 0, &info) == 0) relay_.saw_delivery(signal, info.si_pid);
}

// A SIGTRAP that is ours: an int3 that is, or was, our breakpoint.
bool Tracee::on_trap(pid_t tid, Thread& thread) {
  siginfo_t info{};
  if (ptrace(PTRACE_GETSIGINFO, tid, 0, &info) != 0 || info.si_code != SI_KERNEL) return false;
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, 0, &registers) != 0) return false;
  const Address at{registers.rip - int3_size};
  const bool set = breakpoints_.contains(at);
  if (!set && !former_.contains(at)) return false;
  thread.signal = 0;
  registers.rip = at.value;
  ptrace(PTRACE_SETREGS, tid, 0, &registers);
  if (!set) return true;
  thread.state = State::event;
  events_.push_back({TraceeEvent::Kind::breakpoint, tid, at, 0});
  return true;
}

void Tracee::on_event_stop(pid_t tid, Thread& thread, int event, int signal) {
  thread.signal = 0;
  thread.state = State::stopped;
  if (event == PTRACE_EVENT_CLONE) {
    on_clone(tid);
  } else if (event == PTRACE_EVENT_EXEC) {
    on_exec(tid);
  } else if (event == PTRACE_EVENT_STOP && is_group_stop_signal(signal)) {
    thread.state = State::group;
  }
}

void Tracee::on_clone(pid_t tid) {
  unsigned long made = 0;
  if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &made) != 0) return;
  const pid_t child = static_cast<pid_t>(made);
  // Its first stop may have come already, or come later: until then it has not run.
  if (is_thread_of_ours(child)) threads_.emplace(child, Thread{State::interrupt, 0});
}

// The image is new: the other threads are gone (without a word), and so is our int3.
void Tracee::on_exec(pid_t tid) {
  threads_.clear();
  threads_[tid] = {State::event, 0};
  breakpoints_.clear();
  former_.clear();
  events_.clear();
  events_.push_back({TraceeEvent::Kind::exec, tid, {}, 0});
}

void Tracee::go_on(pid_t tid, Thread& thread) {
  if (thread.state == State::group)
    ptrace(PTRACE_LISTEN, tid, 0, 0);
  else
    ptrace(PTRACE_CONT, tid, 0, thread.signal);
  thread = {State::running, 0};
}

bool Tracee::any_unstopped() const {
  return std::any_of(threads_.begin(), threads_.end(), [](const auto& entry) {
    return entry.second.state == State::running || entry.second.state == State::interrupt;
  });
}

// Asks every running thread to stop. A thread that cannot be asked any more (a dead leader that
// waits for its threads) is forgotten until its end is reported.
bool Tracee::interrupt_running() {
  for (auto entry = threads_.begin(); entry != threads_.end();) {
    auto& [tid, thread] = *entry;
    const bool asked = thread.state != State::running || ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0;
    if (asked && thread.state == State::running) thread.state = State::interrupt;
    if (!asked && tid != pid_)
      entry = threads_.erase(entry);
    else
      ++entry;
    if (!asked && tid == pid_) thread = {State::stopped, 0};
  }
  return any_unstopped();
}

Result<void> Tracee::stop_all(std::chrono::milliseconds bound) {
  if (!traced_) return fail(ErrorCode::denied, "the process is not traced");
  const auto deadline = Clock::now() + bound;
  ++holds_;
  while (true) {
    while (reap()) {
    }
    if (ended_) {
      --holds_;
      return fail(gone_error(pid_));
    }
    if (!interrupt_running()) return {};
    if (Clock::now() >= deadline) break;
    relay_.wait(pid_, deadline, true);
  }
  resume_all();
  return fail(ErrorCode::limit, fmt::format("a thread of process {} did not stop", pid_));
}

void Tracee::resume_all() {
  if (holds_ > 0) --holds_;
  if (holds_ > 0) return;
  for (auto& [tid, thread] : threads_)
    if (thread.state == State::stopped || thread.state == State::group) go_on(tid, thread);
}

std::vector<pid_t> Tracee::threads() const {
  std::vector<pid_t> all;
  for (const auto& [tid, thread] : threads_) all.push_back(tid);
  return all;
}

Result<user_regs_struct> Tracee::read_registers(pid_t tid) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, 0, &registers) != 0) return fail(gone_error(tid));
  return registers;
}

std::vector<std::uint64_t> Tracee::read_vector_registers(pid_t tid) const {
  std::vector<std::uint64_t> words(8192);
  iovec into{words.data(), words.size() * 8};
  if (ptrace(PTRACE_GETREGSET, tid, reinterpret_cast<void*>(NT_X86_XSTATE), &into) != 0) return {};
  words.resize(into.iov_len / 8);
  return words;
}

Result<void> Tracee::write_registers(pid_t tid, const user_regs_struct& registers) {
  if (ptrace(PTRACE_SETREGS, tid, 0, &registers) != 0) return fail(gone_error(tid));
  return {};
}

void Tracee::send(int signal) {
  if (!ended_) kill(pid_, signal);
}

Result<void> Tracee::detach() {
  WEIR_TRY_VOID(stop_all());
  while (!breakpoints_.empty()) WEIR_TRY_VOID(remove_breakpoint(breakpoints_.begin()->first));
  holds_ = 0;
  events_.clear();
  for (auto& [tid, thread] : threads_) ptrace(PTRACE_DETACH, tid, 0, thread.signal);
  threads_ = {{pid_, Thread{}}};
  traced_ = false;
  return {};
}

}  // namespace weir::target
