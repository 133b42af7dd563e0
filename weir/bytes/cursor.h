#pragma once
// Cursor: the one bounds-checked reader of untrusted bytes. Every parser of weir uses it.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "weir/base/error.h"

namespace weir::bytes {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads little-endian values from bytes owned by somebody else. Failure is sticky: after the first
/// read that does not fit, every read gives zero, ok() is false, done() is true, and failed_at()
/// keeps the offset of that read.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return !failed_; }
  bool done() const { return failed_ || pos_ == bytes_.size(); }
  std::size_t pos() const { return pos_; }
  std::size_t left() const { return failed_ ? 0 : bytes_.size() - pos_; }
  FileOffset failed_at() const { return {failed_at_}; }

  /// An integer of T's size, any alignment.
  template <class T>
  T read() {
    static_assert(std::is_integral_v<T>);
    static_assert(std::endian::native == std::endian::little);
    T value{};
    const Bytes raw = take(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::uint8_t u8() { return read<std::uint8_t>(); }
  std::uint16_t u16() { return read<std::uint16_t>(); }
  std::uint32_t u32() { return read<std::uint32_t>(); }
  std::uint64_t u64() { return read<std::uint64_t>(); }

  /// Unsigned LEB128, at most 10 bytes; a longer or overflowing one is a failure.
  std::uint64_t varint();

  /// The next `n` bytes, or an empty span and failure.
  Bytes take(std::size_t n) {
    if (failed_ || n > bytes_.size() - pos_) return fail_here();
    const Bytes raw = bytes_.subspan(pos_, n);
    pos_ += n;
    return raw;
  }
  void skip(std::size_t n) { take(n); }
  /// Moves to an absolute offset within the bytes (the end is allowed).
  void seek(std::size_t pos) {
    if (failed_ || pos > bytes_.size()) {
      fail_here();
      return;
    }
    pos_ = pos;
  }
  /// Bytes up to, not including, the next NUL, which is consumed.
  std::string_view c_string();

  /// The failure as an Error of `code` (truncated by default); call only when !ok().
  Error error(std::string what, ErrorCode code = ErrorCode::truncated) const {
    return Error{code, std::move(what), failed_at(), 0, {}};
  }

 private:
  Bytes fail_here() {
    if (!failed_) failed_at_ = pos_;
    failed_ = true;
    return {};
  }

  Bytes bytes_;
  std::size_t pos_ = 0;
  std::size_t failed_at_ = 0;
  bool failed_ = false;
};

/// A little-endian integer at `offset` of `bytes`, or nothing if it does not fit.
template <class T>
bool read_at(Bytes bytes, std::size_t offset, T& value) {
  static_assert(std::is_integral_v<T>);
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return false;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return true;
}

}  // namespace weir::bytes
