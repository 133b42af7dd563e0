#include "weir/ingest/trace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace weir::ingest {
namespace {

constexpr std::size_t piece_size = 256 << 10;

/// A file without a name in $TMPDIR: what comes through a pipe, to be mapped.
class Spool {
 public:
  static Result<Spool> create() {
    const char* folder = std::getenv("TMPDIR");
    std::string path = (folder != nullptr && *folder != 0 ? std::string(folder) : "/tmp");
    path += "/weir-trace-XXXXXX";
    const int fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return fail(ErrorCode::io, "cannot create a temporary file", path, errno);
    unlink(path.c_str());
    return Spool(fd);
  }
  Spool(Spool&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Spool& operator=(Spool&&) = delete;
  ~Spool() {
    if (fd_ >= 0) close(fd_);
  }

  Result<void> write_all(std::string_view piece) const {
    while (!piece.empty()) {
      const ssize_t n = write(fd_, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(ErrorCode::io, "cannot write a temporary file", {}, errno);
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  Result<void> fill_from(int from) const {
    std::string piece(piece_size, '\0');
    while (true) {
      const ssize_t got = read(from, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(ErrorCode::io, "cannot be read", {}, errno);
      if (got == 0) return {};
      WEIR_TRY_VOID(write_all(std::string_view(piece).substr(0, static_cast<std::size_t>(got))));
    }
  }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  explicit Spool(int fd) : fd_(fd) {}
  int fd_;
};

Result<bytes::MappedFile> open_bytes(const std::string& name, const TraceOptions& options) {
  const bool exists = access(name.c_str(), F_OK) == 0;
  if (name != "-" && !exists && looks_like_url(name)) {
    WEIR_TRY(const Spool spool, Spool::create());
    WEIR_TRY_VOID(fetch(trace_url(name), options.http,
                        [&](std::string_view piece) { return spool.write_all(piece); }));
    return bytes::MappedFile::open(spool.path());
  }
  if (name != "-") {
    auto mapped = bytes::MappedFile::open(name);
    if (mapped || mapped.error().code != ErrorCode::unsupported) return mapped;
  }
  const int fd = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::io, "cannot be opened", {}, errno);
  WEIR_TRY(const Spool spool, Spool::create());
  const auto filled = spool.fill_from(fd);
  if (fd != STDIN_FILENO) close(fd);
  if (!filled) return fail(filled.error());
  return bytes::MappedFile::open(spool.path());
}

}  // namespace

std::string shown_name(const std::string& name) {
  return name == "-" ? "standard input" : without_credentials(name);
}

Result<bytes::MappedFile> open_trace(const std::string& name, const TraceOptions& options) {
  auto file = open_bytes(name, options);
  if (!file) return fail(std::move(file).error().with(shown_name(name)));
  return file;
}

}  // namespace weir::ingest
