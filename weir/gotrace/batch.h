#pragma once
// Batches: what a trace file is made of. A walk over their headers, and the varints within.
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "weir/base/error.h"
#include "weir/gotrace/format.h"

namespace weir::gotrace {

/// The thread number of events that no thread wrote (NoThread, src/internal/trace/base.go).
constexpr std::uint64_t no_thread = ~std::uint64_t{0};

/// A batch's header; its bytes lie at [offset, offset + size) of the file.
struct Batch {
  EventType kind = EventType::event_batch;  ///< stacks, strings, cpu_samples, frequency, sync,
                                            ///< experimental_batch, end_of_generation; else events
  std::uint8_t experiment = 0;
  std::uint32_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t generation = 0;
  std::uint64_t thread = 0;
  std::uint64_t time = 0;  ///< ticks
};

/// Steps from one batch's header to the next.
class BatchWalk {
 public:
  /// `file`: the whole trace, header included; it must outlive the walk.
  explicit BatchWalk(bytes::Bytes file) : file_(file), at_(Header::size) {}

  /// Nothing at the end of the file. Errors: invalid, truncated, with the offset; the walk cannot
  /// go on after one.
  Result<std::optional<Batch>> next();
  /// Where the next header begins.
  std::uint64_t position() const { return at_; }

 private:
  bytes::Bytes file_;
  std::uint64_t at_;
};

/// Reads varints as fast as may be: no state of failure, since the caller has made sure that
/// `needed_bytes` are there, or asks `ok`. Every thread's events go through this.
struct VarintReader {
  const std::uint8_t* at = nullptr;
  const std::uint8_t* end = nullptr;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }
  /// False if the bytes end before the number does, or it does not fit in 64 bits. `sure`: there
  /// are `longest` bytes or more.
  template <bool sure = false>
  bool read(std::uint64_t& value) {
    if ((sure || at != end) && *at < 0x80) {
      value = *at++;
      return true;
    }
    if (!sure && left() < 4) return take(read_bytewise(at, end), value);
    return read_long(value);
  }
  static constexpr std::size_t longest = 10;  ///< bytes of a number

 private:
  struct Read {
    const std::uint8_t* next = nullptr;  // null: there is no number
    std::uint64_t value = 0;
  };

  /// Of two bytes or more, four being there: byte by byte, so that where the next number begins is
  /// predicted and not computed: of the numbers at one place of an event, most are as long as the
  /// one before.
  bool read_long(std::uint64_t& value) {
    std::uint64_t result = at[0] - 0x80u + (std::uint64_t{at[1]} << 7);
    unsigned length = 2;
    if (at[1] >= 0x80) {
      result += (std::uint64_t{at[2]} << 14) - (0x80u << 7);
      length = 3;
      if (at[2] >= 0x80) {
        if (at[3] >= 0x80) return take(read_bytewise(at, end), value);
        result += (std::uint64_t{at[3]} << 21) - (0x80u << 14);
        length = 4;
      }
    }
    value = result;
    at += length;
    return true;
  }
  bool take(Read read, std::uint64_t& value) {
    if (read.next == nullptr) return false;
    at = read.next;
    value = read.value;
    return true;
  }
  /// By value, so that a reader whose loop calls this can stay in registers.
  [[gnu::noinline]] static Read read_bytewise(const std::uint8_t* at, const std::uint8_t* end) {
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 70 && at != end; shift += 7) {
      const std::uint8_t byte = *at++;
      if (shift == 63 && byte > 1) return {};
      result |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return {at, result};
    }
    return {};
  }
};

inline VarintReader reader_of(bytes::Bytes bytes) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {begin, begin + bytes.size()};
}

}  // namespace weir::gotrace
