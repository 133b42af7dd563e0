#include "weir/gortime/large_memory.h"

#include <sys/mman.h>

#include <cerrno>

namespace weir::gortime {
namespace {

/// Null if the address space has no room.
void* map(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  madvise(at, bytes, MADV_HUGEPAGE);  // a wish
  return at;
}

}  // namespace

void* map_large(std::size_t bytes) {
  void* at = map(bytes);
  if (at == nullptr) throw std::bad_alloc();
  return at;
}

void unmap_large(void* at, std::size_t bytes) {
  munmap(at, bytes);
}

void LargeMemory::Unmap::operator()(std::byte* at) const {
  munmap(at, bytes);
}

Result<LargeMemory> LargeMemory::make(std::uint64_t bytes) {
  LargeMemory memory;
  if (bytes == 0) return memory;
  void* at = map(bytes);
  if (at == nullptr) return fail(ErrorCode::io, "no memory for what a proof needs", {}, errno);
  memory.data_ = {static_cast<std::byte*>(at), Unmap{bytes}};
  return memory;
}

}  // namespace weir::gortime
