// Starting the program: fork, wait for the tracer to seize, exec.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "weir/target/tracee.h"

namespace weir::target {

namespace {

constexpr int options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

struct Pipe {
  int ends[2] = {-1, -1};
  Result<void> open() {
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe", {}, errno);
    return {};
  }
  void close_end(int which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Reads one int that the other side may never write.
std::optional<int> read_int(int fd) {
  int value = 0;
  ssize_t n = 0;
  do n = ::read(fd, &value, sizeof value);
  while (n < 0 && errno == EINTR);
  return n == sizeof value ? std::optional(value) : std::nullopt;
}

}  // namespace

struct TraceeLauncher {
  explicit TraceeLauncher(const Launch& what) : launch(what) {}

  const Launch& launch;
  std::vector<char*> argv = pointers_to(launch.argv);
  std::vector<char*> environment = pointers_to(launch.environment);
  Pipe go;      ///< closed without a byte = do not execute
  Pipe report;  ///< errno of a failed exec

  /// In the child. Only async-signal-safe calls.
  [[noreturn]] void become(const SignalRelay& relay) {
    go.close_end(1);
    report.close_end(0);
    int ready = 0;
    if (::read(go.ends[0], &ready, sizeof ready) != sizeof ready) _exit(127);
    relay.restore_in_child();
    execvpe(argv[0], argv.data(), environment.data());
    const int error = errno;
    [[maybe_unused]] const ssize_t n = ::write(report.ends[1], &error, sizeof error);
    _exit(127);
  }

  Result<std::unique_ptr<Tracee>> run() {
    WEIR_TRY_VOID(go.open());
    WEIR_TRY_VOID(report.open());
    std::unique_ptr<Tracee> tracee(new Tracee(0));
    const pid_t pid = fork();
    if (pid < 0) return fail(ErrorCode::io, "cannot start a process", {}, errno);
    if (pid == 0) become(tracee->relay_);
    tracee->pid_ = pid;
    tracee->traced_ = launch.traced;
    go.close_end(0);
    report.close_end(1);
    if (launch.traced && ptrace(PTRACE_SEIZE, pid, 0, options) != 0) {
      const int error = errno;
      go.close_end(1);
      waitpid(pid, nullptr, 0);
      tracee->ended_ = true;
      return fail(ErrorCode::unsupported, "the kernel refuses ptrace", {}, error);
    }
    tracee->threads_[pid] = {};
    const int ready = 1;
    if (::write(go.ends[1], &ready, sizeof ready) != sizeof ready)
      return fail(ErrorCode::io, "cannot start the child", {}, errno);
    go.close_end(1);
    return executed(std::move(tracee));
  }

  /// Waits until the exec has worked or failed. A traced child stops inside a working exec, after
  /// the pipe has closed itself.
  Result<std::unique_ptr<Tracee>> executed(std::unique_ptr<Tracee> tracee) {
    const std::optional<int> error = read_int(report.ends[0]);
    if (!error) return tracee;
    while (!tracee->ended()) tracee->next(std::nullopt);
    return fail(*error == ENOENT ? ErrorCode::not_found
                                 : (*error == EACCES ? ErrorCode::denied : ErrorCode::io),
                "cannot execute", launch.argv[0], *error);
  }
};

Result<std::unique_ptr<Tracee>> Tracee::launch(const Launch& launch) {
  if (launch.argv.empty()) return fail(ErrorCode::usage, "no program named");
  TraceeLauncher launcher(launch);
  return launcher.run();
}

Tracee::~Tracee() {
  if (ended_ || pid_ == 0) return;
  if (!traced_) return;
  kill(pid_, SIGKILL);
  while (!ended_) next(std::nullopt);
}

}  // namespace weir::target
