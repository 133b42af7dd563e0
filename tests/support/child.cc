#include "tests/support/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

extern char** environ;

namespace weir::test_support {

namespace {

/// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }
  int number() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail(ErrorCode::io, "pipe2 failed", {}, errno);
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

std::vector<std::string> merge_environment(const std::vector<std::string>& changes) {
  const auto key = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool changed = false;
    for (const auto& change : changes) changed |= key(*entry) == key(change);
    if (!changed) merged.emplace_back(*entry);
  }
  for (const auto& change : changes)
    if (change.find('=') != std::string::npos) merged.push_back(change);
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (auto& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// `name` as execve needs it: looked up in PATH unless it has a slash.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, colon), name);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return name;
}

struct ExecPlan {
  const char* program;
  char** argv;
  char** environment;
  const char* directory;
  int in, out, err, failure;
  bool own_group;
  bool core_files;
};

/// Runs in the forked child: async-signal-safe calls only. Reports errno through `failure`.
[[noreturn]] void exec_child(const ExecPlan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (plan.own_group) ::setpgid(0, 0);
  const rlimit no_core{0, 0};
  rlimit core_limit{};
  if (plan.core_files && ::getrlimit(RLIMIT_CORE, &core_limit) == 0) {
    core_limit.rlim_cur = core_limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &core_limit);
  }
  if (!plan.core_files) ::setrlimit(RLIMIT_CORE, &no_core);
  ::dup2(plan.in, 0);
  ::dup2(plan.out, 1);
  ::dup2(plan.err, 2);
  if (*plan.directory == '\0' || ::chdir(plan.directory) == 0)
    ::execve(plan.program, plan.argv, plan.environment);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(plan.failure, &error, sizeof error);
  ::_exit(127);
}

std::string tail(const std::string& text) {
  constexpr std::size_t kept = 4000;
  return text.size() <= kept ? text : "…" + text.substr(text.size() - kept);
}

}  // namespace

struct Child::State {
  pid_t pid = -1;
  bool own_group = false;
  bool reaped = false;
  ExitStatus exit;
  Fd in;
  Fd stop_read, stop_write;  ///< closing stop_write ends the reader thread
  std::thread reader;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::string out, err;
  int open_outputs = 2;

  void drain(Fd out_pipe, Fd err_pipe);
  void drain_one(pollfd& polled, std::string& into);
  bool try_reap();
  Result<std::string> wait_for(const std::string& text, std::string_view prefix, Seconds timeout);
};

void Child::State::drain(Fd out_pipe, Fd err_pipe) {
  pollfd polled[] = {{out_pipe.number(), POLLIN, 0},
                     {err_pipe.number(), POLLIN, 0},
                     {stop_read.number(), POLLIN, 0}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (::poll(polled, 3, -1) < 0) continue;
    drain_one(polled[0], out);
    drain_one(polled[1], err);
    if (polled[2].revents != 0) break;
  }
}

void Child::State::drain_one(pollfd& polled, std::string& into) {
  if (polled.fd < 0 || polled.revents == 0) return;
  char buffer[65536];
  const ssize_t n = ::read(polled.fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  const std::lock_guard lock(mutex);
  if (n > 0) {
    into.append(buffer, static_cast<std::size_t>(n));
  } else {
    polled.fd = -1;
    --open_outputs;
  }
  changed.notify_all();
}

bool Child::State::try_reap() {
  if (reaped) return true;
  int status = 0;
  const pid_t waited = ::waitpid(pid, &status, WNOHANG);
  if (waited != pid) return false;
  reaped = true;
  if (WIFEXITED(status)) exit = {WEXITSTATUS(status), 0, false};
  if (WIFSIGNALED(status)) exit = {-1, WTERMSIG(status), WCOREDUMP(status) != 0};
  return true;
}

Result<std::string> Child::State::wait_for(const std::string& text, std::string_view prefix,
                                           Seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::size_t line_start = 0;
  std::unique_lock lock(mutex);
  while (true) {
    for (auto end = text.find('\n', line_start); end != std::string::npos;
         end = text.find('\n', line_start)) {
      const std::string_view line = std::string_view(text).substr(line_start, end - line_start);
      line_start = end + 1;
      if (line.starts_with(prefix)) return std::string(line);
    }
    const auto seen = [&](std::string_view why) {
      return fmt::format("pid {}: {} a line \"{}\"\nstdout: {}\nstderr: {}", pid, why, prefix,
                         tail(out), tail(err));
    };
    if (open_outputs == 0) return fail(ErrorCode::gone, seen("output ended without"));
    if (changed.wait_until(lock, deadline) == std::cv_status::timeout)
      return fail(ErrorCode::limit, seen("timed out waiting for"));
  }
}

std::string to_string(const ExitStatus& status) {
  if (status.signal == 0) return fmt::format("exit {}", status.code);
  return fmt::format("signal {} ({})", status.signal, ::strsignal(status.signal));
}

Child::Child(std::unique_ptr<State> state) : state_(std::move(state)) {}
Child::Child(Child&&) noexcept = default;
Child& Child::operator=(Child&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Child::~Child() {
  if (!state_) return;
  if (!state_->try_reap()) {
    if (state_->own_group) ::kill(-state_->pid, SIGKILL);
    ::kill(state_->pid, SIGKILL);
    ::waitpid(state_->pid, nullptr, 0);
  }
  state_->stop_write.reset();
  if (state_->reader.joinable()) state_->reader.join();
}

Result<Child> Child::start(const std::vector<std::string>& argv, const ChildOptions& options) {
  if (argv.empty()) return fail(ErrorCode::usage, "no program named");
  WEIR_TRY(Pipe in, make_pipe());
  WEIR_TRY(Pipe out, make_pipe());
  WEIR_TRY(Pipe err, make_pipe());
  WEIR_TRY(Pipe failure, make_pipe());
  WEIR_TRY(Pipe stop, make_pipe());
  // Everything the forked child needs is made before the fork.
  const std::string program = find_program(argv.front());
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = merge_environment(options.environment);
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> environment_pointers = pointers_to(environment);
  const ExecPlan plan{program.c_str(),
                      const_cast<char**>(argument_pointers.data()),
                      const_cast<char**>(environment_pointers.data()),
                      options.directory.c_str(),
                      in.read.number(),
                      out.write.number(),
                      err.write.number(),
                      failure.write.number(),
                      options.own_process_group,
                      options.core_files};
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorCode::io, "fork failed", {}, errno);
  if (pid == 0) exec_child(plan);

  auto state = std::make_unique<State>();
  state->pid = pid;
  state->own_group = options.own_process_group;
  state->in = std::move(in.write);
  state->stop_read = std::move(stop.read);
  state->stop_write = std::move(stop.write);
  out.write.reset();
  err.write.reset();
  failure.write.reset();
  int exec_errno = 0;
  if (::read(failure.read.number(), &exec_errno, sizeof exec_errno) == sizeof exec_errno) {
    ::waitpid(pid, nullptr, 0);
    state->reaped = true;
    const auto code = exec_errno == ENOENT   ? ErrorCode::not_found
                      : exec_errno == EACCES ? ErrorCode::denied
                                             : ErrorCode::io;
    return fail(code, "starting " + program, program, exec_errno);
  }
  state->reader = std::thread(&State::drain, state.get(), std::move(out.read), std::move(err.read));
  return Child(std::move(state));
}

pid_t Child::pid() const {
  return state_->pid;
}

std::string Child::out() const {
  const std::lock_guard lock(state_->mutex);
  return state_->out;
}

std::string Child::err() const {
  const std::lock_guard lock(state_->mutex);
  return state_->err;
}

Result<std::string> Child::wait_for_line(std::string_view prefix, Seconds timeout) {
  return state_->wait_for(state_->out, prefix, timeout);
}

Result<std::string> Child::wait_for_error_line(std::string_view prefix, Seconds timeout) {
  return state_->wait_for(state_->err, prefix, timeout);
}

Result<void> Child::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(state_->in.number(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::io, "writing to the child's stdin", {}, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

void Child::close_stdin() {
  state_->in.reset();
}

Result<void> Child::signal(int signal) {
  if (state_->reaped) return fail(ErrorCode::gone, "the child has been reaped");
  if (::kill(state_->pid, signal) == 0) return {};
  return fail(errno == ESRCH ? ErrorCode::gone : ErrorCode::denied, "kill failed", {}, errno);
}

bool Child::running() {
  return !state_->try_reap();
}

Result<ExitStatus> Child::wait(Seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto timed_out = [&](std::string_view what) {
    return fail(ErrorCode::limit,
                fmt::format("pid {}: {} after {:.1f} s\nstdout: {}\nstderr: {}", state_->pid, what,
                            timeout.count(), tail(out()), tail(err())));
  };
  while (!state_->try_reap()) {
    if (std::chrono::steady_clock::now() > deadline) return timed_out("still running");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::unique_lock lock(state_->mutex);
  // A grandchild may hold the pipes open; what has been read by then is what there is.
  state_->changed.wait_until(lock, deadline, [&] { return state_->open_outputs == 0; });
  return state_->exit;
}

Result<Completed> run(const std::vector<std::string>& argv, const ChildOptions& options,
                      Seconds timeout) {
  WEIR_TRY(Child child, Child::start(argv, options));
  child.close_stdin();
  WEIR_TRY(const ExitStatus exit, child.wait(timeout));
  return Completed{exit, child.out(), child.err()};
}

}  // namespace weir::test_support
