#include "weir/sched/process.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>

namespace weir::sched {
namespace {

constexpr int options = PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
/// Every kind of thread, but only those that this thread of weir has started or traces.
constexpr int any_of_mine = __WALL | __WNOTHREAD;
constexpr std::array<std::byte, 2> syscall_code{std::byte{0x0f}, std::byte{0x05}};

tl::unexpected<Error> gone() {
  return fail(ErrorCode::gone, "the process has ended");
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Which step of becoming the program failed in the child.
struct ChildFailure {
  enum Step : int { trace, folder, execute } step;
  int error;
};

Error to_error(const ChildFailure& failure, const ProcessLaunch& launch) {
  if (failure.step == ChildFailure::trace)
    return Error{
        ErrorCode::unsupported,
        "the kernel refuses ptrace",
        {},
        failure.error,
        {"weir must be allowed to trace the program it starts: in a container, allow the "
         "ptrace system call (--cap-add=SYS_PTRACE, or a seccomp profile that permits it)"}};
  if (failure.step == ChildFailure::folder)
    return Error{ErrorCode::io, "cannot enter the folder", launch.folder, failure.error, {}};
  const ErrorCode code = failure.error == ENOENT   ? ErrorCode::not_found
                         : failure.error == EACCES ? ErrorCode::denied
                                                   : ErrorCode::io;
  return Error{code, "cannot execute", launch.path, failure.error, {}};
}

}  // namespace

struct ProcessLauncher {
  const ProcessLaunch& launch;
  std::vector<char*> argv = pointers_to(launch.argv);
  std::vector<char*> environment = pointers_to(launch.environment);
  int report[2] = {-1, -1};

  [[noreturn]] void give_up(ChildFailure::Step step) const {
    const ChildFailure failure{step, errno};
    [[maybe_unused]] const ssize_t n = ::write(report[1], &failure, sizeof failure);
    _exit(127);
  }

  /// In the child: async-signal-safe calls only.
  [[noreturn]] void become() const {
    // A session of its own: the kernel would send a process that weir leaves stopped a SIGHUP when
    // weir, the last of its session to know it, ends.
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    if (nothing > STDERR_FILENO) ::close(nothing);
    if (launch.output >= 0) {
      dup2(launch.output, STDOUT_FILENO);
      dup2(launch.output, STDERR_FILENO);
    }
    if (launch.memory >= 0) dup2(launch.memory, memory_descriptor);
    personality(ADDR_NO_RANDOMIZE);
    if (!launch.folder.empty() && chdir(launch.folder.c_str()) != 0) give_up(ChildFailure::folder);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) give_up(ChildFailure::trace);
    execve(launch.path.c_str(), argv.data(), environment.data());
    give_up(ChildFailure::execute);
  }

  Result<std::unique_ptr<ControlledProcess>> run() {
    if (pipe2(report, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe", {}, errno);
    // vfork: weir's own memory need not be copied, and the child only calls what may be called
    // then.
    const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (pid == 0) become();
    ::close(report[1]);
    if (pid < 0) {
      ::close(report[0]);
      return fail(ErrorCode::io, "cannot start a process", {}, errno);
    }
    ChildFailure failure{};
    ssize_t n = 0;
    do n = ::read(report[0], &failure, sizeof failure);
    while (n < 0 && errno == EINTR);
    ::close(report[0]);
    int status = 0;
    if (n == sizeof failure) {
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      return fail(to_error(failure, launch));
    }
    std::unique_ptr<ControlledProcess> process(new ControlledProcess(pid));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(status)) {
      process->ended_ = true;
      return gone();
    }
    if (ptrace(PTRACE_SETOPTIONS, pid, 0, options) != 0)
      return fail(ErrorCode::io, "cannot set the options of ptrace", {}, errno);
    process->memory_ = ::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC);
    if (process->memory_ < 0)
      return fail(ErrorCode::denied, "cannot open the memory of the process", {}, errno);
    return process;
  }
};

Result<std::unique_ptr<ControlledProcess>> ControlledProcess::launch(const ProcessLaunch& launch) {
  ProcessLauncher launcher{launch};
  return launcher.run();
}

ControlledProcess::~ControlledProcess() {
  if (memory_ >= 0) ::close(memory_);
  if (ended_) return;
  kill(pid_, SIGKILL);
  int status = 0;
  while (true) {
    const pid_t thread = waitpid(-1, &status, any_of_mine);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0 || (thread == pid_ && !WIFSTOPPED(status))) return;
  }
}

void ControlledProcess::forget(pid_t thread) {
  std::erase(threads_, thread);
}

// The kernel tells of a new thread and of its first stop in any order.
void ControlledProcess::expect(pid_t thread) {
  if (std::find(threads_.begin(), threads_.end(), thread) == threads_.end())
    threads_.push_back(thread);
}

// Takes one wait status. True: `stop` is for the owner.
bool ControlledProcess::on_stop(pid_t thread, int status, ProcessStop& stop) {
  if (!WIFSTOPPED(status)) {
    forget(thread);
    if (thread != pid_) return false;
    ended_ = true;
    stop = {ProcessStop::Kind::ended, thread, status};
    return true;
  }
  int signal = WSTOPSIG(status);
  if (status >> 16 != 0) {
    signal = 0;
    unsigned long made = 0;
    if (status >> 16 == PTRACE_EVENT_CLONE && ptrace(PTRACE_GETEVENTMSG, thread, 0, &made) == 0)
      expect(static_cast<pid_t>(made));
  } else if (signal == SIGSTOP && !begun_.contains(thread)) {
    expect(thread);
    begun_.insert(thread);  // a new thread's first stop
    signal = 0;
  }
  if (signal == SIGTRAP) {
    siginfo_t info{};
    if (ptrace(PTRACE_GETSIGINFO, thread, 0, &info) == 0 && info.si_code == SI_KERNEL) {
      stop = {ProcessStop::Kind::trap, thread, 0};
      return true;
    }
  }
  ptrace(PTRACE_CONT, thread, 0, signal);
  return false;
}

ProcessStop ControlledProcess::let_run(pid_t thread, int signal) {
  ProcessStop stop;
  ptrace(PTRACE_CONT, thread, 0, signal);
  if (!waiting_.empty()) {
    stop = waiting_.front();
    waiting_.pop_front();
    return stop;
  }
  while (true) {
    int status = 0;
    const pid_t changed = waitpid(-1, &status, any_of_mine);
    if (changed < 0 && errno == EINTR) continue;
    if (changed < 0) {
      ended_ = true;
      return stop;
    }
    if (on_stop(changed, status, stop)) return stop;
  }
}

bool ControlledProcess::is_settled(pid_t thread) const {
  for (const ProcessStop& stop : waiting_)
    if (stop.thread == thread) return true;
  std::ifstream file(fmt::format("/proc/{}/task/{}/stat", pid_, thread));
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');  // proc_pid_stat(5): the state follows the name
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return true;
  const char state = text[name_end + 2];
  return state != 'R' && state != 't' && state != 'T';
}

void ControlledProcess::let_others_settle(pid_t thread) {
  constexpr int rounds = 2'000;
  constexpr useconds_t pause = 50;
  for (int round = 0; round < rounds && !ended_; ++round) {
    int status = 0;
    ProcessStop stop;
    for (pid_t changed = 0; (changed = waitpid(-1, &status, any_of_mine | WNOHANG)) > 0;)
      if (on_stop(changed, status, stop)) waiting_.push_back(stop);
    const bool settled = std::all_of(threads_.begin(), threads_.end(), [&](pid_t other) {
      return other == thread || is_settled(other);
    });
    if (settled) return;
    usleep(pause);
  }
}

Result<void> ControlledProcess::release(pid_t thread, const user_regs_struct& registers) {
  WEIR_TRY_VOID(write_registers(thread, registers));
  for (const pid_t other : threads_) {
    if (other == thread) continue;
    syscall(SYS_tgkill, pid_, other, SIGSTOP);
    int status = 0;
    do {
      while (waitpid(other, &status, __WALL) < 0)
        if (errno != EINTR) return gone();
      if (!WIFSTOPPED(status)) return gone();
      if (WSTOPSIG(status) != SIGSTOP) ptrace(PTRACE_CONT, other, 0, 0);
    } while (WSTOPSIG(status) != SIGSTOP);
    ptrace(PTRACE_DETACH, other, 0, 0);
  }
  if (ptrace(PTRACE_DETACH, thread, 0, 0) != 0) return gone();
  return {};
}

Result<void> ControlledProcess::leave(pid_t thread, const user_regs_struct& registers,
                                      std::optional<std::uint64_t> blocked) {
  // Not PTRACE_ATTACH, which would send one more SIGSTOP.
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0)
    return fail(ErrorCode::denied, "the kernel refuses ptrace", {}, errno);
  WEIR_TRY_VOID(wait_for_stop(thread));
  WEIR_TRY(const user_regs_struct own, read_registers(thread));
  user_regs_struct all = registers;
  all.cs = own.cs, all.ss = own.ss, all.ds = own.ds, all.es = own.es, all.fs = own.fs;
  all.gs = own.gs, all.fs_base = own.fs_base, all.gs_base = own.gs_base;
  WEIR_TRY_VOID(write_registers(thread, all));
  if (blocked) ptrace(PTRACE_SETSIGMASK, thread, sizeof *blocked, &*blocked);
  if (ptrace(PTRACE_DETACH, thread, 0, 0) != 0) return gone();
  ended_ = true;
  return {};
}

Result<int> ControlledProcess::wait_for_stop(pid_t thread) {
  int status = 0;
  while (waitpid(thread, &status, __WALL) < 0)
    if (errno != EINTR) return gone();
  if (WIFSTOPPED(status)) return status;
  forget(thread);
  if (thread == pid_) ended_ = true;
  return gone();
}

Result<void> ControlledProcess::run_to_trap(pid_t thread) {
  for (int signal = 0;;) {
    if (ptrace(PTRACE_CONT, thread, 0, signal) != 0) return gone();
    WEIR_TRY(const int status, wait_for_stop(thread));
    signal = WSTOPSIG(status);
    if (signal == SIGTRAP && status >> 16 == 0) return {};
    if (status >> 16 != 0) signal = 0;
  }
}

Result<bool> ControlledProcess::step(pid_t thread) {
  if (ptrace(PTRACE_SINGLESTEP, thread, 0, 0) != 0) return gone();
  WEIR_TRY(const int status, wait_for_stop(thread));
  if (WSTOPSIG(status) == SIGTRAP) return true;
  ptrace(PTRACE_SINGLESTEP, thread, 0, WSTOPSIG(status));  // enters the handler
  WEIR_TRY_VOID(wait_for_stop(thread));
  return false;
}

Result<user_regs_struct> ControlledProcess::read_registers(pid_t thread) const {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) != 0) return gone();
  return registers;
}

Result<void> ControlledProcess::write_registers(pid_t thread,
                                                const user_regs_struct& registers) const {
  if (ptrace(PTRACE_SETREGS, thread, 0, &registers) != 0) return gone();
  return {};
}

Result<void> ControlledProcess::read(Address at, std::span<std::byte> into) const {
  return read_memory(pid_, at, into);
}

Result<void> read_memory(pid_t pid, Address at, std::span<std::byte> into) {
  const iovec local{into.data(), into.size()};
  const iovec remote{reinterpret_cast<void*>(at.value), into.size()};
  return read_pieces(pid, std::span(&local, 1), std::span(&remote, 1));
}

Result<void> read_pieces(pid_t pid, std::span<const iovec> into, std::span<const iovec> from) {
  std::size_t wanted = 0;
  for (const iovec& piece : into) wanted += piece.iov_len;
  const ssize_t got = process_vm_readv(pid, into.data(), into.size(), from.data(), from.size(), 0);
  if (got < 0 && errno == ESRCH) return gone();
  if (got != static_cast<ssize_t>(wanted))
    return fail(ErrorCode::unmapped, "no memory",
                Address{reinterpret_cast<std::uint64_t>(from[0].iov_base)});
  return {};
}

Result<void> ControlledProcess::write(Address at, std::span<const std::byte> bytes) const {
  const ssize_t n = pwrite(memory_, bytes.data(), bytes.size(), static_cast<off_t>(at.value));
  if (n == static_cast<ssize_t>(bytes.size())) return {};
  return fail(ErrorCode::unmapped, "no memory to write to", at, n < 0 ? errno : 0);
}

Result<std::int64_t> ControlledProcess::system_call(pid_t thread, std::uint64_t number,
                                                    const std::vector<std::uint64_t>& arguments) {
  WEIR_TRY(const user_regs_struct before, read_registers(thread));
  std::array<std::byte, 2> code{};
  WEIR_TRY_VOID(read(Address{before.rip}, code));
  WEIR_TRY_VOID(write(Address{before.rip}, syscall_code));
  user_regs_struct registers = before;
  registers.rax = number;
  registers.orig_rax = ~0ULL;
  unsigned long long user_regs_struct::*const slots[] = {
      &user_regs_struct::rdi, &user_regs_struct::rsi, &user_regs_struct::rdx,
      &user_regs_struct::r10, &user_regs_struct::r8,  &user_regs_struct::r9};
  for (std::size_t i = 0; i < arguments.size() && i < std::size(slots); ++i)
    registers.*slots[i] = arguments[i];
  WEIR_TRY_VOID(write_registers(thread, registers));
  WEIR_TRY(const bool stepped, step(thread));
  WEIR_TRY(const user_regs_struct after, read_registers(thread));
  WEIR_TRY_VOID(write(Address{before.rip}, code));
  WEIR_TRY_VOID(write_registers(thread, before));
  if (!stepped) return fail(ErrorCode::io, "a signal came in the way of a system call");
  return static_cast<std::int64_t>(after.rax);
}

}  // namespace weir::sched
