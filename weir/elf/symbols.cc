#include "weir/elf/symbols.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace weir::elf {

std::optional<ObjectSymbol> find_object_symbol(const File& file, LinkAddr at) {
  const auto table = file.find_section(".symtab");
  if (!table || table->link >= file.sections().size()) return std::nullopt;
  // Only what is found is noted: in a recording the rest reads as zeros, which are no object.
  const bytes::Window symbol_window = file.section_bytes(*table);
  const bytes::Window name_window = file.section_bytes(file.sections()[table->link]);
  const bytes::Bytes symbols = symbol_window.unnoted(), names = name_window.unnoted();
  for (std::size_t i = 0; i + sizeof(Elf64_Sym) <= symbols.size(); i += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, symbols.data() + i, sizeof symbol);
    if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || at.value < symbol.st_value ||
        at.value - symbol.st_value >= symbol.st_size || symbol.st_name >= names.size())
      continue;
    const char* name = reinterpret_cast<const char*>(names.data()) + symbol.st_name;
    const std::size_t length = strnlen(name, names.size() - symbol.st_name);
    symbol_window.note(i, sizeof symbol);
    name_window.note(symbol.st_name, std::min(length + 1, names.size() - symbol.st_name));
    return ObjectSymbol{{name, length}, LinkAddr{symbol.st_value}, symbol.st_size};
  }
  return std::nullopt;
}

}  // namespace weir::elf
