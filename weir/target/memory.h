#pragma once
// Memory: one interface to the bytes of a Go program, wherever they are: live process, core file,
// recording, test.
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "weir/base/error.h"

namespace weir::target {

enum class Consistency : std::uint8_t {
  frozen,  ///< all bytes are of one instant: a stopped process, a core, a recording
  racing,  ///< the program runs while it is read; what is read must be checked again, and proves
           ///< nothing
};

/// One mapping of the program: [start, end).
struct Region {
  Address start;
  Address end;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint64_t file_offset = 0;
  std::string path;  ///< as the kernel names it; may be empty or "[stack]"
};

/// One piece of a read_many(): bytes wanted, and how many came (a prefix).
struct ReadRequest {
  Address at;
  std::span<std::byte> into;
  std::size_t got = 0;
};

class Memory {
 public:
  virtual ~Memory() = default;

  /// Reads a prefix of `into`, at least one byte. Errors: unmapped (nothing at `at`), gone, denied,
  /// io.
  virtual Result<std::size_t> read_some(Address at, std::span<std::byte> into) = 0;

  /// Reads many pieces at once; each request's `got` says how much of it came (0 = unmapped). Fails
  /// only when nothing can be read at all any more (gone, denied). The default calls read_some for
  /// each.
  virtual Result<void> read_many(std::span<ReadRequest> requests);

  /// The program's mappings, ascending, as the kernel has or had them.
  virtual std::vector<Region> regions() = 0;
  /// The ranges that have bytes here, ascending. Smaller than regions() when only some pages were
  /// kept (a recording, a core).
  virtual std::vector<Region> coverage() { return regions(); }
  virtual Consistency consistency() const = 0;
  /// Several threads may read at once.
  virtual bool is_concurrent() const { return false; }

  /// All of `into`, or an error (unmapped carries the first missing address).
  Result<void> read(Address at, std::span<std::byte> into);

  /// A trivially copyable value.
  template <class T>
  Result<T> read(Address at) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    WEIR_TRY_VOID(read(at, std::as_writable_bytes(std::span<T, 1>(&value, 1))));
    return value;
  }

  /// A Go pointer or uintptr.
  Result<Address> read_pointer(Address at);
};

}  // namespace weir::target
