#pragma once
// LargeMemory: zeroed memory that is read and written here and there.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "weir/base/error.h"

namespace weir::gortime {

/// On pages as large as the kernel gives, since most accesses to it would miss the TLB. A page
/// costs nothing before it is touched.
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

}  // namespace weir::gortime
