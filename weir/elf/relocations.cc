#include "weir/elf/relocations.h"

#include <algorithm>

namespace weir::elf {

namespace {

constexpr std::uint64_t tag_rela = 7, tag_rela_size = 8;  // DT_RELA, DT_RELASZ
constexpr std::size_t rela_size = 24;                     // sizeof(Elf64_Rela)

struct RelaTable {
  LinkAddr start;
  std::uint64_t size = 0;
};

RelaTable find_rela_table(const File& file) {
  RelaTable table;
  for (const Segment& segment : file.segments()) {
    if (segment.type != Segment::dynamic) continue;
    bytes::Cursor cursor(file.file_window(segment.file_offset, segment.file_size).unnoted());
    while (cursor.left() >= 16) {
      const std::uint64_t tag = cursor.u64();
      const std::uint64_t value = cursor.u64();
      if (tag == 0) break;  // DT_NULL
      if (tag == tag_rela) table.start = {value};
      if (tag == tag_rela_size) table.size = value;
    }
  }
  return table;
}

}  // namespace

std::vector<RelativeRelocation> find_relative_relocations(const File& file) {
  const RelaTable table = find_rela_table(file);
  const bytes::Bytes window = file.window_at(table.start).unnoted();
  const std::size_t count = std::min<std::uint64_t>(table.size, window.size()) / rela_size;
  const std::uint32_t relative = file.machine() == Machine::amd64 ? 8 : 1027;

  std::vector<RelativeRelocation> found;
  bytes::Cursor cursor(window.first(count * rela_size));
  while (!cursor.done()) {
    const std::uint64_t where = cursor.u64();
    const std::uint64_t info = cursor.u64();
    const std::uint64_t addend = cursor.u64();
    if ((info & 0xffffffff) == relative) found.push_back({{where}, {addend}});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.where < b.where; });
  return found;
}

}  // namespace weir::elf
