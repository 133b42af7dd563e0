#pragma once
// Memory that is read and written here and there: on pages as large as the kernel gives, since most
// accesses to it would miss the TLB.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "weir/base/error.h"

namespace weir::gortime {

/// Throws std::bad_alloc.
void* map_large(std::size_t bytes);
void unmap_large(void* at, std::size_t bytes);

/// Zeroed. A page costs nothing before it is touched.
class LargeMemory {
 public:
  LargeMemory() = default;
  /// Errors: io, when the address space has no room.
  static Result<LargeMemory> make(std::uint64_t bytes);
  std::byte* data() const { return data_.get(); }

 private:
  struct Unmap {
    Unmap() : bytes(0) {}
    explicit Unmap(std::uint64_t mapped) : bytes(mapped) {}
    std::uint64_t bytes;
    void operator()(std::byte* at) const;
  };
  std::unique_ptr<std::byte, Unmap> data_;
};

/// For a vector of such memory.
template <class T>
struct LargeAllocator {
  using value_type = T;
  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT(google-explicit-constructor): an allocator

  T* allocate(std::size_t count) { return static_cast<T*>(map_large(count * sizeof(T))); }
  void deallocate(T* at, std::size_t count) { unmap_large(at, count * sizeof(T)); }
  bool operator==(const LargeAllocator&) const = default;
};

template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace weir::gortime
