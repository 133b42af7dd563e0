#include "weir/bytes/window.h"

#include <algorithm>

namespace weir::bytes {

bool Window::read_c_string(std::uint64_t offset, std::size_t limit, std::string_view& text) const {
  if (offset >= bytes_.size()) return false;
  const std::size_t room = std::min<std::size_t>(bytes_.size() - offset, limit);
  const char* start = reinterpret_cast<const char*>(bytes_.data()) + offset;
  const void* end = std::memchr(start, 0, room);
  if (end == nullptr) return false;
  text = {start, static_cast<std::size_t>(static_cast<const char*>(end) - start)};
  note(offset, text.size() + 1);
  return true;
}

}  // namespace weir::bytes
