#include "weir/target/stop.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <thread>

#include "weir/base/assert.h"
#include "weir/target/denied.h"
#include "weir/target/priority.h"
#include "weir/target/task_list.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace weir::target {
namespace {

constexpr int max_rounds = 64;  // of looking for threads started meanwhile

/// No two parts of weir use the same signal: SIGRTMAX - 3 ends a stop that has lasted too long.
int release_signal() {
  return SIGRTMAX - 3;
}

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

timespec to_timespec(std::int64_t nanos) {
  timespec out{};
  out.tv_sec = nanos / 1'000'000'000;
  out.tv_nsec = nanos % 1'000'000'000;
  return out;
}

enum class Phase : std::uint8_t {
  building,  ///< threads are being stopped; the timer only interrupts waiting
  holding,   ///< all stand; the timer releases them
  over,      ///< released, or being released
};

/// One thread attached to.
struct Entry {
  enum class Is : std::uint8_t {
    seized,    ///< attached; runs, as far as we know
    standing,  ///< in a ptrace stop
    borrowed,  ///< in the hands of whoever called borrow()
    away,      ///< detached or ended
  };
  int tid = 0;
  Is is = Is::seized;
  StopKind kind = StopKind::interrupted;
  int signal = 0;  ///< to deliver when it is let go
};

}  // namespace

// Everything here but the vectors' growth is also run by the signal handler on_timer(), which runs
// on the stopping thread, in phase `holding` only, when nothing else of this struct is running.
struct StoppedProcess::State {
  int pid = 0;
  bool whole = true;
  StopOptions options;
  std::vector<Entry> entries;
  std::vector<StoppedThread> threads;
  std::vector<int> unstopped;
  std::atomic<Phase> phase{Phase::building};
  std::atomic<bool> forced{false};
  std::int64_t begun = 0;
  std::int64_t ended = 0;
  timer_t timer{};
  bool has_timer = false;
  sigset_t old_mask{};
  RaisedPriority priority;

  State(int of, const StopOptions& with) : pid(of), options(with), priority(with.raise_priority) {}
  ~State() { release(); }

  std::int64_t stop_deadline() const { return begun + options.max_stop.value; }
  std::int64_t wait_deadline() const {
    return begun + std::min(options.max_wait.value, options.max_stop.value);
  }
  /// Leaves a quarter of the time to read registers, at least.
  std::int64_t late_deadline() const { return begun + options.max_stop.value / 4 * 3; }

  static void on_timer(int, siginfo_t* info, void*);
  Result<void> arm();
  void set_timer(std::int64_t first, std::int64_t interval) const;
  void disarm();

  Result<void> stop_all(const TaskList& tasks);
  Result<void> stop_these(std::span<const int> tids);
  Result<void> seize(int tid);
  void stand_still(std::size_t from, std::int64_t deadline, std::int64_t late);
  void await(Entry& entry, bool block);
  void read_registers(Entry& entry);
  Result<void> hold();
  bool borrow(int tid);
  void give_back(int tid, int signal);
  void let_go();
  void release();
};

// ---- the timer

void StoppedProcess::State::on_timer(int, siginfo_t* info, void*) {
  const int saved = errno;
  auto* state = static_cast<State*>(info->si_value.sival_ptr);
  if (info->si_code == SI_TIMER && state->phase.load() == Phase::holding) {
    state->phase.store(Phase::over);
    state->forced.store(true);
    state->let_go();
  }
  errno = saved;
}

Result<void> StoppedProcess::State::arm() {
  static const int installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_timer;
    action.sa_flags = SA_SIGINFO;  // no SA_RESTART: waiting for a thread must be interrupted
    sigfillset(&action.sa_mask);
    return sigaction(release_signal(), &action, nullptr);
  }();
  sigset_t mine;
  sigemptyset(&mine);
  sigaddset(&mine, release_signal());
  pthread_sigmask(SIG_UNBLOCK, &mine, &old_mask);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = release_signal();
  event.sigev_value.sival_ptr = this;
  event.sigev_notify_thread_id = static_cast<pid_t>(syscall(SYS_gettid));
  if (installed != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
    pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
    return fail(ErrorCode::io, "cannot make the timer that bounds the stop", {}, errno);
  }
  has_timer = true;
  return {};
}

void StoppedProcess::State::set_timer(std::int64_t first, std::int64_t interval) const {
  itimerspec when{};
  when.it_value = to_timespec(std::max<std::int64_t>(first, 1));  // 0 would disarm it
  when.it_interval = to_timespec(interval);
  timer_settime(timer, TIMER_ABSTIME, &when, nullptr);
}

void StoppedProcess::State::disarm() {
  if (!has_timer) return;
  // A signal that is pending by now is handled before this call returns: it is for this thread.
  timer_delete(timer);
  has_timer = false;
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
}

// ---- stopping

Result<void> StoppedProcess::State::seize(int tid) {
  // No options: the kernel's defaults neither kill the target with weir nor follow its children.
  if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0) {
    entries.push_back({tid, Entry::Is::seized, StopKind::interrupted, 0});
    return {};
  }
  const int error = errno;
  if (error == ESRCH || has_ended(pid, tid)) return {};
  if (error == EPERM || error == EACCES) return fail(diagnose_denied(pid, error, Access::attach));
  return fail(ErrorCode::io, "attaching to thread " + std::to_string(tid), {}, error);
}

/// Looks at how the thread stands, without consuming it: the number of a signal in delivery stays
/// with the thread, so the kernel delivers it if weir is killed before it detaches.
void StoppedProcess::State::await(Entry& entry, bool block) {
  const int flags = WSTOPPED | WEXITED | WNOWAIT | __WALL | (block ? 0 : WNOHANG);
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(entry.tid), &info, flags) != 0) {
    // ECHILD: it has ended, or another thread's exec took its place.
    if (errno != EINTR) entry.is = Entry::Is::away;
    return;
  }
  if (info.si_pid == 0) return;
  if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) {
    // The exit of the main thread is the parent's to see; others would stay zombies.
    if (entry.tid != pid) waitpid(entry.tid, nullptr, __WALL | WNOHANG);
    entry.is = Entry::Is::away;
    return;
  }
  const int event = info.si_status >> 8;
  const int signal = info.si_status & 0xff;
  entry.is = Entry::Is::standing;
  if (event == 0) {
    entry.kind = StopKind::signal;
    entry.signal = signal;
  } else if (signal != SIGTRAP) {
    entry.kind = StopKind::job_control;
  }
}

/// Interrupts the seized ones from `from` on, and waits for each. One that waits in the kernel for
/// something else than weir has until `deadline`; one that merely gets no CPU time until `late`.
void StoppedProcess::State::stand_still(std::size_t from, std::int64_t deadline,
                                        std::int64_t late) {
  const auto running = [](const Entry& entry) { return entry.is == Entry::Is::seized; };
  for (std::size_t i = from; i < entries.size(); ++i) {
    if (running(entries[i])) ptrace(PTRACE_INTERRUPT, entries[i].tid, nullptr, nullptr);
  }
  set_timer(deadline, 1'000'000);  // a wait that begins just before a tick is ended by the next one
  for (std::size_t i = from; i < entries.size(); ++i) {
    while (running(entries[i]) &&
           (now() < deadline || (now() < late && is_runnable(pid, entries[i].tid)))) {
      await(entries[i], true);
    }
    if (running(entries[i])) await(entries[i], false);
  }
}

Result<void> StoppedProcess::State::stop_all(const TaskList& tasks) {
  begun = now();
  for (int round = 0; round < max_rounds; ++round) {
    const std::size_t before = entries.size();
    std::size_t hint = 0;
    Result<void> seized;
    WEIR_TRY_VOID(tasks.each([&](int tid) {
      // The kernel lists threads in order of their start, so the next one is mostly the next.
      for (std::size_t i = 0; i < before; ++i) {
        const std::size_t at = (hint + i) % before;
        if (entries[at].tid == tid) {
          hint = at + 1;
          return true;
        }
      }
      seized = seize(tid);
      return seized.has_value();
    }));
    WEIR_TRY_VOID(std::move(seized));
    if (entries.size() == before) return {};
    stand_still(before, wait_deadline(), late_deadline());
  }
  return fail(ErrorCode::limit, "the process starts threads faster than they can be stopped");
}

Result<void> StoppedProcess::State::stop_these(std::span<const int> tids) {
  begun = now();
  for (const int tid : tids) WEIR_TRY_VOID(seize(tid));
  stand_still(0, wait_deadline(), late_deadline());
  return {};
}

void StoppedProcess::State::read_registers(Entry& entry) {
  StoppedThread thread;
  thread.tid = entry.tid;
  thread.kind = entry.kind;
  thread.signal = entry.signal;
  user_regs_struct raw{};
  iovec into{&raw, sizeof raw};
  if (options.read_registers &&
      ptrace(PTRACE_GETREGSET, entry.tid, reinterpret_cast<void*>(NT_PRSTATUS), &into) == 0) {
    thread.has_registers = true;
    thread.registers = to_registers(raw);
  }
  threads.push_back(thread);
}

Result<void> StoppedProcess::State::hold() {
  for (Entry& entry : entries) {
    if (entry.is == Entry::Is::standing) read_registers(entry);
    if (entry.is == Entry::Is::seized) unstopped.push_back(entry.tid);
  }
  const auto by_tid = [](const StoppedThread& a, const StoppedThread& b) { return a.tid < b.tid; };
  if (!std::is_sorted(threads.begin(), threads.end(), by_tid)) {
    std::sort(threads.begin(), threads.end(), by_tid);
  }
  phase.store(Phase::holding);
  set_timer(stop_deadline(), 0);  // in the past: releases before this call returns
  if (forced.load()) {
    return fail(ErrorCode::limit, "process " + std::to_string(pid) +
                                      " did not stand still within " + to_text(options.max_stop));
  }
  if (threads.empty() && unstopped.empty()) {
    return fail(ErrorCode::gone, "process " + std::to_string(pid) + " has ended");
  }
  return {};
}

// ---- lending a thread

/// While one lives, on_timer() does not run.
class TimerBlocked {
 public:
  TimerBlocked() {
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, release_signal());
    pthread_sigmask(SIG_BLOCK, &mine, &old_);
  }
  TimerBlocked(const TimerBlocked&) = delete;
  TimerBlocked& operator=(const TimerBlocked&) = delete;
  ~TimerBlocked() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

 private:
  sigset_t old_{};
};

bool StoppedProcess::State::borrow(int tid) {
  const TimerBlocked blocked;
  if (phase.load() != Phase::holding) return false;
  for (Entry& entry : entries) {
    if (entry.tid != tid || entry.is != Entry::Is::standing) continue;
    if (entry.kind != StopKind::interrupted) return false;
    entry.is = Entry::Is::borrowed;
    return true;
  }
  return false;
}

void StoppedProcess::State::give_back(int tid, int signal) {
  const TimerBlocked blocked;
  for (Entry& entry : entries) {
    if (entry.tid != tid || entry.is != Entry::Is::borrowed) continue;
    entry.is = Entry::Is::standing;
    entry.signal = signal;
  }
  if (phase.load() == Phase::over) let_go();
}

// ---- releasing

void StoppedProcess::State::let_go() {
  for (Entry& entry : entries) {
    if (entry.is == Entry::Is::seized) await(entry, false);  // it may stand by now
    if (entry.is != Entry::Is::standing) continue;
    ptrace(PTRACE_DETACH, entry.tid, nullptr,
           reinterpret_cast<void*>(static_cast<std::intptr_t>(entry.signal)));
    entry.is = Entry::Is::away;
  }
  ended = now();
  priority.lower();
}

void StoppedProcess::State::release() {
  const Phase was = phase.exchange(Phase::over);
  if (was == Phase::building && has_timer) {
    // An error on the way: only a thread that stands can be detached.
    const std::int64_t until = now() + options.max_wait.value;
    stand_still(0, until, until);
  }
  if (was != Phase::over) let_go();
  disarm();
}

// ---- StoppedProcess

StoppedProcess::StoppedProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
StoppedProcess::StoppedProcess(StoppedProcess&&) noexcept = default;
StoppedProcess& StoppedProcess::operator=(StoppedProcess&&) noexcept = default;
StoppedProcess::~StoppedProcess() = default;

Result<StoppedProcess> StoppedProcess::stop(int pid, const StopOptions& options) {
  WEIR_TRY(const TaskList tasks, TaskList::open(pid));
  auto state = std::make_unique<State>(pid, options);
  const std::size_t room = 2 * tasks.count() + 64;
  state->entries.reserve(room);
  state->threads.reserve(room);
  WEIR_TRY_VOID(state->arm());
  WEIR_TRY_VOID(state->stop_all(tasks));
  WEIR_TRY_VOID(state->hold());
  return StoppedProcess(std::move(state));
}

Result<StoppedProcess> StoppedProcess::stop_threads(int pid, std::span<const int> tids,
                                                    const StopOptions& options) {
  auto state = std::make_unique<State>(pid, options);
  state->whole = false;
  state->entries.reserve(tids.size());
  state->threads.reserve(tids.size());
  WEIR_TRY_VOID(state->arm());
  WEIR_TRY_VOID(state->stop_these(tids));
  WEIR_TRY_VOID(state->hold());
  return StoppedProcess(std::move(state));
}

int StoppedProcess::pid() const {
  return state_->pid;
}
std::span<const StoppedThread> StoppedProcess::threads() const {
  return state_->threads;
}
std::span<const int> StoppedProcess::unstopped() const {
  return state_->unstopped;
}
bool StoppedProcess::holds() const {
  return state_->phase.load() == Phase::holding;
}
bool StoppedProcess::forced() const {
  return state_->forced.load();
}
std::chrono::steady_clock::time_point StoppedProcess::deadline() const {
  // libstdc++'s steady_clock is CLOCK_MONOTONIC.
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(state_->stop_deadline()));
}

FrozenMemory StoppedProcess::freeze(Memory& memory) const {
  WEIR_ASSERT(state_->whole);
  const State* state = state_.get();
  return FrozenMemory(memory, [state] { return state->phase.load() == Phase::holding; });
}

bool StoppedProcess::borrow(int tid) {
  return state_->borrow(tid);
}
void StoppedProcess::give_back(int tid, int signal) {
  state_->give_back(tid, signal);
}

Nanos StoppedProcess::release() {
  state_->release();
  return Nanos{state_->ended - state_->begun};
}

// ---- while_stopped

namespace {

using Gather = std::function<void(StoppedProcess&)>;

/// A thread of its own: ptrace binds to it, no signal handler of the program disturbs it, and its
/// end lets go of every thread that could not be stopped.
template <class Stop>
Result<StopReport> on_own_thread(const Stop& stop, const Gather& gather) {
  Result<StopReport> report;
  std::exception_ptr thrown;
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  std::thread thread([&] {
    try {
      auto stopped = stop();
      if (!stopped) {
        report = fail(std::move(stopped).error());
        return;
      }
      gather(*stopped);
      StopReport out;
      out.held = stopped->release();
      out.forced = stopped->forced();
      out.unstopped.assign(stopped->unstopped().begin(), stopped->unstopped().end());
      report = std::move(out);
    } catch (...) {
      thrown = std::current_exception();
    }
  });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  thread.join();
  if (thrown) std::rethrow_exception(thrown);
  return report;
}

}  // namespace

Result<StopReport> while_stopped(int pid, const StopOptions& options, const Gather& gather) {
  return on_own_thread([&] { return StoppedProcess::stop(pid, options); }, gather);
}

Result<StopReport> while_stopped(int pid, std::span<const int> tids, const StopOptions& options,
                                 const Gather& gather) {
  return on_own_thread([&] { return StoppedProcess::stop_threads(pid, tids, options); }, gather);
}

}  // namespace weir::target
