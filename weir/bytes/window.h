#pragma once
// Window: a range of a file's bytes, each access of which is noted in a PageSet.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "weir/bytes/cursor.h"
#include "weir/bytes/page_set.h"

namespace weir::bytes {

/// A view of bytes owned by somebody else, who also owns the PageSet (may be null: nothing is
/// noted). Both must outlive it. Offsets are relative to the window; an access that does not lie
/// wholly inside gives "nothing" and notes nothing. Copies are cheap.
class Window {
 public:
  Window() = default;
  Window(Bytes bytes, std::uint64_t file_offset, PageSet* touched)
      : bytes_(bytes), file_offset_(file_offset), touched_(touched) {}

  std::size_t size() const { return bytes_.size(); }
  std::uint64_t file_offset() const { return file_offset_; }

  /// The `n` bytes at `offset`, or an empty span.
  Bytes take(std::uint64_t offset, std::uint64_t n) const {
    if (!holds(offset, n)) return {};
    note(offset, n);
    return bytes_.subspan(offset, n);
  }

  /// A little-endian integer; false if it does not fit (`value` is then unchanged).
  template <class T>
  bool read(std::uint64_t offset, T& value) const {
    static_assert(std::is_integral_v<T>);
    if (!holds(offset, sizeof(T))) return false;
    note(offset, sizeof(T));
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return true;
  }

  /// Bytes up to, not including, the NUL that must follow within `limit` bytes and the window.
  bool read_c_string(std::uint64_t offset, std::size_t limit, std::string_view& text) const;

  /// A part of this window; empty if it does not lie wholly inside.
  Window part(std::uint64_t offset, std::uint64_t n) const {
    if (!holds(offset, n)) return {};
    return {bytes_.subspan(offset, n), file_offset_ + offset, touched_};
  }

  /// All bytes, nothing noted: for a search whose outcome is kept by other means, or for a walk
  /// that note()s what it used.
  Bytes unnoted() const { return bytes_; }
  void note(std::uint64_t offset, std::uint64_t n) const {
    if (touched_ != nullptr) touched_->add(file_offset_ + offset, n);
  }

 private:
  bool holds(std::uint64_t offset, std::uint64_t n) const {
    return offset <= bytes_.size() && n <= bytes_.size() - offset;
  }

  Bytes bytes_;
  std::uint64_t file_offset_ = 0;
  PageSet* touched_ = nullptr;
};

}  // namespace weir::bytes
