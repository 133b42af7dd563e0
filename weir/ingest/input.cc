#include "weir/ingest/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace weir::ingest {
namespace {

struct Fd {
  int number = -1;
  explicit Fd(int fd) : number(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (number > STDERR_FILENO) close(number);
  }
};

}  // namespace

std::optional<int> parse_pid(const std::string& name) {
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || end != name.data() + name.size() || pid <= 0) return std::nullopt;
  return pid;
}

Result<void> read_input(const std::string& name, std::string_view not_there, std::size_t piece_size,
                        const std::function<Result<void>(std::string_view)>& feed) {
  const Fd fd(name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.number < 0) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::not_found
                           : errno == EACCES ? ErrorCode::denied
                                             : ErrorCode::io;
    return fail(code, errno == ENOENT ? std::string(not_there) : "cannot be opened", {}, errno);
  }
  std::string piece(piece_size, '\0');
  while (true) {
    const ssize_t got = read(fd.number, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot be read", {}, errno);
    if (got == 0) return {};
    WEIR_TRY_VOID(feed(std::string_view(piece).substr(0, static_cast<std::size_t>(got))));
  }
}

}  // namespace weir::ingest
