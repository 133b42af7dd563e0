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
  /// False if the bytes end before the number does, or it does not fit in 64 bits.
  bool read(std::uint64_t& value) {
    if (at != end && *at < 0x80) {
      value = *at++;
      return true;
    }
    return read_long(value);
  }

 private:
  /// Eight bytes at once, where there are as many: what a byte's top bit ends is squeezed together.
  bool read_long(std::uint64_t& value) {
    constexpr std::uint64_t top_bits = 0x8080808080808080;
    std::uint64_t word = 0;
    if (left() < sizeof word) return read_bytewise(value);
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t ends = ~word & top_bits;
    if (ends == 0) return read_bytewise(value);
    word &= (ends ^ (ends - 1)) & ~top_bits;
    word = ((word & 0x7f007f007f007f00) >> 1) | (word & 0x007f007f007f007f);
    word = ((word & 0x3fff00003fff0000) >> 2) | (word & 0x00003fff00003fff);
    value = ((word & 0x0fffffff00000000) >> 4) | (word & 0x000000000fffffff);
    at += static_cast<unsigned>(std::countr_zero(ends)) / 8 + 1;
    return true;
  }
  bool read_bytewise(std::uint64_t& value) {
    std::uint64_t result = 0;
    const std::uint8_t* p = at;
    for (unsigned shift = 0; shift < 70 && p != end; shift += 7) {
      const std::uint8_t byte = *p++;
      if (shift == 63 && byte > 1) return false;
      result |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        at = p;
        value = result;
        return true;
      }
    }
    return false;
  }
};

inline VarintReader reader_of(bytes::Bytes bytes) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {begin, begin + bytes.size()};
}

}  // namespace weir::gotrace
