#include "weir/target/fork_copy.h"

#include <elf.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <future>
#include <string>
#include <thread>

#include "weir/target/copy_memory.h"
#include "weir/target/live_memory.h"
#include "weir/target/proc_file.h"

namespace weir::target {
namespace {

constexpr std::int64_t per_gigabyte = 40'000'000, fixed_cost = 1'000'000;
constexpr Nanos reap_bound{1'000'000'000};
constexpr int most_tries = 8;

/// "1234 kB" → bytes.
std::uint64_t kilobytes(std::string_view field) {
  const auto words = split_blanks(field);
  return words.empty() ? 0 : parse_number(words[0]).value_or(0) << 10;
}

std::vector<std::uint64_t> vectors_of(int tid) {
  std::vector<std::uint64_t> words(8192);
  iovec into{words.data(), words.size() * 8};
  if (ptrace(PTRACE_GETREGSET, tid, reinterpret_cast<void*>(NT_X86_XSTATE), &into) != 0) return {};
  words.resize(into.iov_len / 8);
  return words;
}

tl::unexpected<Error> clone_failed(std::int64_t result) {
  return fail(ErrorCode::io,
              "the process could not be copied: clone() failed in it (a limit on processes or "
              "memory, or a seccomp filter)",
              {}, static_cast<int>(-result));
}

}  // namespace

Result<ForkEstimate> estimate_fork_stop(int pid) {
  WEIR_TRY(const std::string text, read_proc(pid, "status"));
  ForkEstimate estimate;
  estimate.resident_bytes = kilobytes(status_field(text, "VmRSS"));
  estimate.page_table_bytes = kilobytes(status_field(text, "VmPTE"));
  // A page of page tables maps 512 pages: what is mapped but not resident costs less, but costs.
  const std::uint64_t bytes = std::max(estimate.resident_bytes, estimate.page_table_bytes * 256);
  estimate.stop = Nanos{fixed_cost + static_cast<std::int64_t>(bytes >> 20) * per_gigabyte / 1024};
  return estimate;
}

struct ForkCopy::State {
  int pid = 0;
  ForkCopyOptions options;
  InjectionSite site;
  pid_t child = 0;
  std::int64_t inner_child = 0;  ///< its number in the process's own pid namespace
  Nanos held;
  std::vector<CopiedThread> threads;
  std::vector<int> unstopped;
  std::unique_ptr<Memory> memory;
  std::optional<FrozenMemory> frozen;
  std::atomic<bool> alive{false};
  std::optional<Nanos> reaped;
  int wake = -1;  ///< eventfd: end
  bool ended = false;
  std::thread tracer;

  ~State() {
    end();
    if (wake >= 0) close(wake);
  }

  Result<void> copy(const Choose& choose);
  Result<void> inject(StoppedProcess& stop, const Choose& choose);
  Result<void> adopt();
  void watch();
  void kill_child();
  void reap();
  bool try_reap();
  void end();
};

/// Within the stop.
Result<void> ForkCopy::State::inject(StoppedProcess& stop, const Choose& choose) {
  WEIR_TRY(site, choose(stop));
  for (const StoppedThread& thread : stop.threads()) {
    CopiedThread copied{thread, {}};
    if (thread.has_registers && thread.registers.syscall < 0)
      copied.vectors = vectors_of(thread.tid);
    threads.push_back(std::move(copied));
  }
  unstopped.assign(stop.unstopped().begin(), stop.unstopped().end());
  WEIR_TRY(auto injection, Injection::prepare(pid, site));
  if (!stop.borrow(site.tid))
    return fail(ErrorCode::limit, "the stop was over before the copy was made");
  constexpr std::uint64_t flags = CLONE_FILES | CLONE_FS;  // exit signal 0, memory copied
  auto outcome = injection.call(SYS_clone, {flags, 0, 0, 0, 0, 0});
  stop.give_back(site.tid, injection.pending_signal());
  if (!outcome) return fail(std::move(outcome).error());
  if (outcome->result < 0) return clone_failed(outcome->result);
  if (outcome->child == 0)
    return fail(ErrorCode::io, "the copy of the process was not attached to");
  child = outcome->child;
  inner_child = outcome->result;
  return {};
}

Result<void> ForkCopy::State::adopt() {
  auto status = wait_for_stop(child);
  if (!status) return fail(std::move(status).error());
  if (ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL) != 0)
    return fail(ErrorCode::gone, "the copy of the process has been killed", {}, errno);
  if (auto copy = CopyMemory::open(child)) {
    memory = std::make_unique<CopyMemory>(std::move(*copy));
  } else {
    WEIR_TRY(auto live, LiveMemory::open(child));
    memory = std::make_unique<LiveMemory>(std::move(live));
  }
  alive = true;
  frozen.emplace(*memory, [this] { return alive.load(); });
  return {};
}

Result<void> ForkCopy::State::copy(const Choose& choose) {
  StopOptions stop_options;
  stop_options.max_stop = options.max_stop;
  auto stopped = StoppedProcess::stop(pid, stop_options);
  if (!stopped) return fail(std::move(stopped).error());
  auto injected = inject(*stopped, choose);
  held = stopped->release();
  const bool forced = stopped->forced();
  if (!injected) return injected;
  WEIR_TRY_VOID(adopt());
  if (forced)
    return fail(ErrorCode::limit, "the copy took longer than " + to_text(options.max_stop) +
                                      ", and is of no use: allow more with -max-stop");
  return {};
}

/// The child is there until somebody calls end(), or the process ends, or the kernel kills it.
void ForkCopy::State::watch() {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  const int copy_of_it = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  std::array<pollfd, 3> watched{{{wake, POLLIN, 0}, {process, POLLIN, 0}, {copy_of_it, POLLIN, 0}}};
  while (poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
  }
  alive = false;
  if (process >= 0) close(process);
  if (copy_of_it >= 0) close(copy_of_it);
}

void ForkCopy::State::kill_child() {
  if (child <= 0) return;
  alive = false;
  kill(child, SIGKILL);
  int status = 0;
  while (true) {
    const pid_t got = waitpid(child, &status, __WALL);
    if (got < 0 && errno != EINTR) break;
    if (got == child && (WIFEXITED(status) || WIFSIGNALED(status))) break;
  }
}

/// The child is a zombie by now, or was collected by the process itself.
void ForkCopy::State::reap() {
  if (child <= 0) return;
  for (int i = 0; i < most_tries && !try_reap(); ++i) usleep(1000U << i);
}

/// False if the thread did not stop in time, as on a busy machine, or stood where no system call
/// can be injected: it is worth a new try then.
bool ForkCopy::State::try_reap() {
  const std::array<int, 1> tids{site.tid};
  StopOptions stop_options;
  stop_options.max_stop = reap_bound;
  auto stopped = StoppedProcess::stop_threads(pid, tids, stop_options);
  if (!stopped) return stopped.error().code != ErrorCode::limit;
  if (stopped->threads().empty()) return true;
  const StoppedThread& thread = stopped->threads()[0];
  const std::uint64_t sp = thread.registers.sp.value;
  const bool free = sp < site.scratch.value || sp >= site.scratch.value + site.scratch_size;
  if (!thread.has_registers || thread.kind != StopKind::interrupted || !free) return false;
  auto injection = Injection::prepare(pid, site);
  if (!injection || !stopped->borrow(site.tid)) return false;
  const auto outcome = injection->call(
      SYS_wait4, {static_cast<std::uint64_t>(inner_child), 0, WNOHANG | __WALL, 0, 0, 0});
  stopped->give_back(site.tid, injection->pending_signal());
  const Nanos stood = stopped->release();
  if (outcome && outcome->result == inner_child) reaped = stood;
  return true;
}

void ForkCopy::State::end() {
  if (ended) return;
  ended = true;
  if (wake >= 0) {
    const std::uint64_t one = 1;
    while (write(wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  if (tracer.joinable()) tracer.join();
}

ForkCopy::ForkCopy(std::unique_ptr<State> state) : state_(std::move(state)) {}
ForkCopy::ForkCopy(ForkCopy&&) noexcept = default;
ForkCopy& ForkCopy::operator=(ForkCopy&&) noexcept = default;
ForkCopy::~ForkCopy() = default;

Result<ForkCopy> ForkCopy::take(int pid, const ForkCopyOptions& options, const Choose& choose) {
  WEIR_TRY(const ForkEstimate estimate, estimate_fork_stop(pid));
  if (estimate.stop > options.max_stop)
    return fail(ErrorCode::limit, "copying " + std::to_string(estimate.resident_bytes >> 20) +
                                      " MB of resident memory would stop the process for about " +
                                      to_text(estimate.stop) + ", longer than " +
                                      to_text(options.max_stop) + ": allow more with -max-stop");
  auto state = std::make_unique<State>();
  state->pid = pid;
  state->options = options;
  state->wake = eventfd(0, EFD_CLOEXEC);
  if (state->wake < 0) return fail(ErrorCode::io, "eventfd", {}, errno);
  // ptrace binds to a thread: one that stops, waits, and cleans up. No signal disturbs it.
  std::promise<Result<void>> made;
  auto outcome = made.get_future();
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  state->tracer = std::thread([own = state.get(), &made, &choose] {
    auto copied = own->copy(choose);
    const bool usable = copied.has_value();
    made.set_value(std::move(copied));  // `made` and `choose` are gone from here on
    if (usable) own->watch();
    own->kill_child();
    own->reap();
  });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  auto copied = outcome.get();
  if (!copied) {
    state->end();
    return fail(std::move(copied).error());
  }
  return ForkCopy(std::move(state));
}

Memory& ForkCopy::memory() {
  return *state_->frozen;
}
std::span<const CopiedThread> ForkCopy::threads() const {
  return state_->threads;
}
std::span<const int> ForkCopy::unstopped() const {
  return state_->unstopped;
}
Nanos ForkCopy::held() const {
  return state_->held;
}
int ForkCopy::child() const {
  return state_->child;
}
std::optional<Nanos> ForkCopy::end() {
  state_->end();
  return state_->reaped;
}

}  // namespace weir::target
