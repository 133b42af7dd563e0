#include "weir/ingest/sched_run.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <utility>

#include "weir/target/signal_relay.h"

namespace weir::ingest {
namespace {

constexpr int poll_ms = 50;  // how late weir may see a signal, or the program's end

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Both ends close with it. Neither is inherited.
class Pipe {
 public:
  static Result<Pipe> create() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe", {}, errno);
    return Pipe(ends[0], ends[1]);
  }
  Pipe(Pipe&& other) noexcept
      : read_(std::exchange(other.read_, -1)), write_(std::exchange(other.write_, -1)) {}
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() {
    close_end(read_);
    close_end(write_);
  }
  int read_end() const { return read_; }
  int write_end() const { return write_; }
  bool is_open() const { return read_ >= 0; }
  void close_read() { close_end(read_); }
  void close_write() { close_end(write_); }

 private:
  Pipe(int read, int write) : read_(read), write_(write) {}
  static void close_end(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int read_, write_;
};

Result<pid_t> start(const std::vector<std::string>& argv, const SchedRunOptions& options,
                    const sigset_t& mask, const Pipe& errors, const std::optional<Pipe>& output) {
  std::vector<std::string> words = argv;
  std::vector<std::string> inherited;
  for (char** entry = environ; *entry != nullptr; ++entry) inherited.emplace_back(*entry);
  std::vector<std::string> environment = with_godebug(
      inherited,
      fmt::format("schedtrace={}{}", options.millis, options.detail ? ",scheddetail=1" : ""));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, errors.write_end(), STDERR_FILENO);
  if (output) posix_spawn_file_actions_adddup2(&actions, output->write_end(), STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0].c_str(), &actions, &attributes,
                                 pointers_to(words).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  const ErrorCode code = error == ENOENT   ? ErrorCode::not_found
                         : error == EACCES ? ErrorCode::denied
                                           : ErrorCode::io;
  return fail(code, "cannot start the program", argv[0], error);
}

/// What a running program writes, until it has ended and all of that is read.
class Watch {
 public:
  Watch(pid_t pid, const SchedRunOptions& options, Pipe& errors, std::optional<Pipe>& output)
      : pid_(pid),
        options_(options),
        errors_(errors),
        output_(output),
        collector_(
            [this](std::string_view line) { hand_on(STDERR_FILENO, std::string(line) + '\n'); },
            [this](const model::SchedSample& sample) {
              if (options_.on_sample) options_.on_sample(sample, pid_);
            }) {}

  SchedRun run(target::SignalRelay& relay) {
    // One thread does all: a look at the program stops it with ptrace, and whoever else waited for
    // the program meanwhile could take the news of that stop away.
    int status = 0;
    bool ended = false;
    while (errors_.is_open() || (output_ && output_->is_open())) {
      const bool any = read_ready(ended ? 0 : poll_ms);
      if (ended && !any) break;  // what it started may live on, with the pipe open
      if (ended) continue;
      relay.wait(pid_, target::SignalRelay::Clock::now(), false);
      ended = waitpid(pid_, &status, WNOHANG) == pid_;
    }
    while (!ended) {  // it has closed its standard error
      using namespace std::chrono_literals;
      relay.wait(pid_, target::SignalRelay::Clock::now() + 50ms, false);
      ended = waitpid(pid_, &status, WNOHANG) == pid_;
    }
    SchedRun run{collector_.finish(), 0};
    if (!rest_.empty()) hand_on(STDOUT_FILENO, rest_);
    run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return run;
  }

 private:
  /// Whether there was anything to read.
  bool read_ready(int milliseconds) {
    pollfd both[] = {{errors_.read_end(), POLLIN, 0},
                     {output_ ? output_->read_end() : -1, POLLIN, 0}};
    if (poll(both, 2, milliseconds) <= 0) return false;
    if (both[0].revents != 0) {
      const std::string piece = read_piece(errors_);
      collector_.feed(piece);
    }
    if (both[1].revents != 0) add_output(read_piece(*output_));
    return true;
  }

  static std::string read_piece(Pipe& pipe) {
    std::string piece(64 << 10, '\0');
    const ssize_t got = read(pipe.read_end(), piece.data(), piece.size());
    if (got == 0 || (got < 0 && errno != EINTR)) pipe.close_read();
    piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return piece;
  }

  void add_output(const std::string& piece) {
    constexpr std::size_t longest_line = 1 << 20;
    rest_ += piece;
    std::size_t from = 0;
    for (std::size_t end; (end = rest_.find('\n', from)) != std::string::npos; from = end + 1)
      hand_on(STDOUT_FILENO, std::string_view(rest_).substr(from, end + 1 - from));
    rest_.erase(0, from);
    if (rest_.size() < longest_line) return;
    hand_on(STDOUT_FILENO, rest_);
    rest_.clear();
  }

  void hand_on(int fd, std::string_view line) const {
    if (options_.on_line)
      options_.on_line(fd, line);
    else
      write_all(fd, line);
  }

  pid_t pid_;
  const SchedRunOptions& options_;
  Pipe& errors_;
  std::optional<Pipe>& output_;
  SchedCollector collector_;
  std::string rest_;  // of standard output: a line that has not ended
};

}  // namespace

Result<SchedRun> run_with_schedtrace(const std::vector<std::string>& argv,
                                     const SchedRunOptions& options) {
  WEIR_TRY(Pipe errors, Pipe::create());
  std::optional<Pipe> output;
  if (options.take_output) {
    WEIR_TRY(Pipe made, Pipe::create());
    output.emplace(std::move(made));
  }
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  target::SignalRelay relay;
  WEIR_TRY(const pid_t pid, start(argv, options, mask, errors, output));
  errors.close_write();
  if (output) output->close_write();
  return Watch(pid, options, errors, output).run(relay);
}

}  // namespace weir::ingest
