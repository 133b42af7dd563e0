#include "weir/gortime/large_memory.h"

#include <sys/mman.h>

#include <cerrno>

namespace weir::gortime {

void LargeMemory::Unmap::operator()(std::byte* at) const {
  munmap(at, bytes);
}

Result<LargeMemory> LargeMemory::make(std::uint64_t bytes) {
  LargeMemory memory;
  if (bytes == 0) return memory;
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return fail(ErrorCode::io, "no memory for what a proof needs", {}, errno);
  madvise(at, bytes, MADV_HUGEPAGE);  // a wish
  memory.data_ = {static_cast<std::byte*>(at), Unmap{bytes}};
  return memory;
}

}  // namespace weir::gortime
