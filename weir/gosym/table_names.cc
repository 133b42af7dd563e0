// Looking up a function by its name: the table has no index for that.
#include <algorithm>
#include <cstring>
#include <string>

#include "weir/gosym/table.h"

namespace weir::gosym {

namespace {
constexpr std::size_t max_same_names = 64;  // real tables have at most a few
}

// The linker writes a name for each symbol: two of the same name have two offsets.
std::vector<std::uint32_t> Table::find_name_offsets(std::string_view name) const {
  std::vector<std::uint32_t> offsets;
  if (name.empty() || name.find('\0') != std::string_view::npos) return offsets;
  const std::string_view all = bytes::as_text(names_.unnoted());
  std::string needle;
  needle.append(1, '\0').append(name).append(1, '\0');
  // memmem, since string_view::find would try the needle at each NUL: at each name.
  std::size_t from = 0;
  while (offsets.size() < max_same_names) {
    const void* found = memmem(all.data() + from, all.size() - from, needle.data(), needle.size());
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - all.data());
    names_.note(at, needle.size());
    offsets.push_back(static_cast<std::uint32_t>(at + 1));
    from = at + needle.size() - 1;  // the NUL that ends one name begins the next
  }
  return offsets;
}

// Only rows that match are noted. On an image that lacks the others, their zero rows point into the
// index itself and match nothing.
std::optional<Function> Table::find_function(std::string_view name) const {
  const std::vector<std::uint32_t> wanted = find_name_offsets(name);
  if (wanted.empty()) return std::nullopt;
  const bytes::Bytes all = functions_.unnoted();
  std::optional<Function> wrapper;
  for (std::uint32_t i = 0; i < header_.function_count; ++i) {
    std::uint32_t record = 0, name_offset = 0;
    bytes::read_at(all, 8 * std::size_t{i} + 4, record);
    if (record < 8 * header_.function_count ||
        !bytes::read_at(all, std::size_t{record} + 4, name_offset) ||
        std::find(wanted.begin(), wanted.end(), name_offset) == wanted.end()) {
      continue;
    }
    auto found = function(i);
    if (!found) continue;
    if (found->id != FuncId::wrapper) return found;
    if (!wrapper) wrapper = found;
  }
  return wrapper;
}

}  // namespace weir::gosym
