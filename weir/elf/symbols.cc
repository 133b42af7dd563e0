#include "weir/elf/symbols.h"

#include <elf.h>

#include <cstring>

namespace weir::elf {

std::optional<ObjectSymbol> find_object_symbol(const File& file, LinkAddr at) {
  const auto table = file.find_section(".symtab");
  if (!table || table->link >= file.sections().size()) return std::nullopt;
  const bytes::Bytes symbols = file.section_bytes(*table).unnoted();
  const bytes::Bytes names = file.section_bytes(file.sections()[table->link]).unnoted();
  for (std::size_t i = 0; i + sizeof(Elf64_Sym) <= symbols.size(); i += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, symbols.data() + i, sizeof symbol);
    if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || at.value < symbol.st_value ||
        at.value - symbol.st_value >= symbol.st_size || symbol.st_name >= names.size())
      continue;
    const char* name = reinterpret_cast<const char*>(names.data()) + symbol.st_name;
    return ObjectSymbol{{name, strnlen(name, names.size() - symbol.st_name)},
                        LinkAddr{symbol.st_value},
                        symbol.st_size};
  }
  return std::nullopt;
}

}  // namespace weir::elf
