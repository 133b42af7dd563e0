#include "weir/bytes/cursor.h"

namespace weir::bytes {

std::uint64_t Cursor::varint() {
  std::uint64_t value = 0;
  const std::size_t start = pos_;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const std::uint8_t byte = u8();
    if (failed_) return 0;
    if (shift == 63 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  pos_ = start;
  fail_here();
  return 0;
}

std::string_view Cursor::c_string() {
  if (failed_) return {};
  const auto* begin = bytes_.data() + pos_;
  const auto* nul = left() == 0 ? nullptr : std::memchr(begin, 0, left());
  if (nul == nullptr) {
    fail_here();
    return {};
  }
  const std::size_t length = static_cast<std::size_t>(static_cast<const std::byte*>(nul) - begin);
  const std::string_view text = as_text(bytes_.subspan(pos_, length));
  pos_ += length + 1;
  return text;
}

}  // namespace weir::bytes
