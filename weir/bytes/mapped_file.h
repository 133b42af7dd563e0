#pragma once
// MappedFile: a file's bytes, read only, mapped.
#include <string>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"

namespace weir::bytes {

/// Owns a private read-only mapping of a whole regular file. Movable. A file that another process
/// truncates while it is mapped raises SIGBUS on access: for files weir does not control in a way
/// that matters, read() is the safer way.
class MappedFile {
 public:
  /// Errors: not_found, denied, io; unsupported for something that is not a regular file.
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  Bytes bytes() const { return {data_, size_}; }
  /// Lets go of the memory of all pages before `done`, which lies in bytes(). They stay readable:
  /// the kernel reads them again when they are looked at.
  void forget_before(Bytes done) const;
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const std::byte* data, std::size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The whole of a file of any kind, at most `limit` bytes (ErrorCode::limit above).
Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);

/// Writes `content` to `path` through a temporary file and rename, so a reader never sees half of
/// it; a new file gets `mode`, less the umask. A link stays: the file behind it is replaced. What
/// is no regular file (a pipe, a device) is written to as it is, and so are standard output and
/// error under any name (/dev/stdout). Errors: denied, not_found, io.
Result<void> write_file(const std::string& path, std::string_view content, unsigned mode = 0666);

}  // namespace weir::bytes
