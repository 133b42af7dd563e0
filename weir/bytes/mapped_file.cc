#include "weir/bytes/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace weir::bytes {
namespace {

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::not_found;
  if (error == EACCES || error == EPERM) return ErrorCode::denied;
  return ErrorCode::io;
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::io, "cannot write the file", path, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// Writes to what is there already, without a file of its own to rename. Creates the file that a
/// link without a target names.
Result<void> write_through(const std::string& path, std::string_view content, unsigned mode) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (fd.get() < 0) return fail(code_of(errno), "cannot open for writing", path, errno);
  return write_all(fd.get(), content, path);
}

/// The standard output or error if `file` is the same, as /dev/stdout is: replacing or truncating
/// it would lose what was printed there; -1 if it is neither.
int find_standard_stream(const struct stat& file) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat stream {};
    if (::fstat(fd, &stream) == 0 && stream.st_dev == file.st_dev && stream.st_ino == file.st_ino)
      return fd;
  }
  return -1;
}

Result<void> replace_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = fmt::format("{}.tmp{}", path, ::getpid());
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (fd.get() < 0) return fail(code_of(errno), "cannot create the file", path, errno);
    auto written = write_all(fd.get(), content, path);
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail(code_of(error), "cannot replace the file", path, error);
  }
  return {};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return fail(code_of(errno), "cannot open the file", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return fail(ErrorCode::io, "cannot stat the file", path, errno);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::unsupported, "not a regular file", path);
  const std::size_t size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile(path, nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return fail(ErrorCode::io, "cannot map the file", path, errno);
  return MappedFile(path, static_cast<const std::byte*>(data), size);
}

void MappedFile::forget_before(Bytes done) const {
  constexpr std::size_t page = 4096;
  const std::size_t size = static_cast<std::size_t>(done.data() - data_) / page * page;
  if (size != 0) ::madvise(const_cast<std::byte*>(data_), size, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return fail(code_of(errno), "cannot open the file", path, errno);
  std::string content;
  char chunk[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(code_of(errno), "cannot read the file", path, errno);
    if (n == 0) return content;
    if (static_cast<std::size_t>(n) > limit - content.size())
      return fail(ErrorCode::limit, fmt::format("the file is larger than {} bytes", limit), path);
    content.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<void> write_file(const std::string& path, std::string_view content, unsigned mode) {
  struct stat named {};
  if (::stat(path.c_str(), &named) == 0) {
    if (const int stream = find_standard_stream(named); stream >= 0)
      return write_all(stream, content, path);
    if (!S_ISREG(named.st_mode)) return write_through(path, content, mode);
  }
  struct stat link {};
  if (::lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode))
    return replace_file(path, content, mode);
  // The file behind the link is replaced, not the link. Those of /proc/PID/fd may name nothing.
  const std::unique_ptr<char, decltype(&std::free)> target(::realpath(path.c_str(), nullptr),
                                                           &std::free);
  return target ? replace_file(target.get(), content, mode) : write_through(path, content, mode);
}

}  // namespace weir::bytes
