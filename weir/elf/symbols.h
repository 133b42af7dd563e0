#pragma once
// The symbol table of an ELF file, the other way round: from an address to the variable there.
#include <optional>
#include <string_view>

#include "weir/elf/file.h"

namespace weir::elf {

struct ObjectSymbol {
  std::string_view name;  ///< in the file's bytes
  LinkAddr start;
  std::uint64_t size = 0;
};

/// The STT_OBJECT symbol of .symtab that `at` is within; nothing in a stripped file. Linear.
std::optional<ObjectSymbol> find_object_symbol(const File& file, LinkAddr at);

}  // namespace weir::elf
