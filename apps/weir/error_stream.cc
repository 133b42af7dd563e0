#include "apps/weir/error_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "weir/ingest/pointer_fault.h"

namespace weir::app {
namespace {

constexpr int look_again = 50;  // ms between two looks whether the stream is to be closed

void write_line(int fd, std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = write(fd, rest.data(), rest.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

struct ErrorStream::State {
  int saved = -1;   // what standard error was
  int source = -1;  // where the pipe is read
  std::atomic<bool> closing = false;
  ingest::PointerFaultReader faults;
  Result<ingest::SchedLines> lines = ingest::SchedLines{};
  std::thread thread;  // last: it uses the rest

  /// As read(2); 0 once the stream is closing and nothing is left in the pipe.
  ssize_t read_some(char* to, std::size_t size) const {
    for (;;) {
      const bool last_look = closing;
      pollfd ready{source, POLLIN, 0};
      const int n = poll(&ready, 1, look_again);
      if (n > 0) return read(source, to, size);
      if (n < 0 && errno != EINTR) return -1;
      if (n == 0 && last_look) return 0;
    }
  }
  void run() {
    lines =
        ingest::read_sched_lines([this](char* to, std::size_t size) { return read_some(to, size); },
                                 [this](std::string_view line) {
                                   faults.line(line);
                                   write_line(saved, line);
                                 });
  }
  void stop() {
    if (!thread.joinable()) return;
    std::fflush(stderr);
    dup2(saved, STDERR_FILENO);
    closing = true;
    thread.join();
    ::close(source);
    ::close(saved);
  }
  ~State() { stop(); }
};

ErrorStream::ErrorStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ErrorStream::ErrorStream(ErrorStream&&) noexcept = default;
ErrorStream& ErrorStream::operator=(ErrorStream&&) noexcept = default;
ErrorStream::~ErrorStream() = default;

Result<ErrorStream> ErrorStream::open() {
  auto state = std::make_unique<State>();
  int ends[2];
  state->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (state->saved < 0 || pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorCode::io, "standard error cannot be read", {}, errno);
  state->source = ends[0];
  std::fflush(stderr);
  dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  state->thread = std::thread([own = state.get()] { own->run(); });
  return ErrorStream(std::move(state));
}

Result<ErrorStream::Seen> ErrorStream::close() {
  state_->stop();
  if (!state_->lines) return fail(state_->lines.error());
  return Seen{std::move(*state_->lines), state_->faults.fault()};
}

}  // namespace weir::app
