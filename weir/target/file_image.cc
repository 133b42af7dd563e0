#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "weir/target/recording.h"

namespace weir::target {

Result<ExpandedFile> ExpandedFile::make(const FileImage& image) {
  constexpr std::uint64_t size_limit = std::uint64_t{64} << 30;
  if (image.size > size_limit) {
    return fail(ErrorCode::limit, "the recorded file is larger than 64 GiB", image.path);
  }
  if (image.size == 0) return ExpandedFile(nullptr, 0);
  void* data = ::mmap(nullptr, image.size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return fail(ErrorCode::io, "no room for the recorded file", image.path, errno);
  }
  ExpandedFile file(static_cast<std::byte*>(data), image.size);
  for (const SparseMemory::Segment& piece : image.pages.segments()) {
    if (piece.start.value >= image.size) break;
    const std::size_t n =
        std::min<std::uint64_t>(piece.bytes.size(), image.size - piece.start.value);
    std::memcpy(file.data_ + piece.start.value, piece.bytes.data(), n);
  }
  return file;
}

ExpandedFile::ExpandedFile(ExpandedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

ExpandedFile& ExpandedFile::operator=(ExpandedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

ExpandedFile::~ExpandedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

FileImage keep_pages(std::string path, std::string build_id, bytes::Bytes file,
                     const bytes::PageSet& touched) {
  FileImage image;
  image.path = std::move(path);
  image.build_id = std::move(build_id);
  image.size = file.size();
  constexpr std::uint64_t page_bytes = bytes::PageSet::page_size;
  for (const std::uint64_t index : touched.indices()) {
    const std::uint64_t offset = index * page_bytes;
    if (offset >= file.size()) break;
    image.pages.insert(
        Address{offset},
        file.subspan(offset, std::min<std::uint64_t>(page_bytes, file.size() - offset)));
  }
  return image;
}

}  // namespace weir::target
