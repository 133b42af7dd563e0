#pragma once
// The relative relocations of a position-independent file: what the loader writes into its data.
#include <cstdint>
#include <vector>

#include "weir/elf/file.h"

namespace weir::elf {

/// R_X86_64_RELATIVE or R_AARCH64_RELATIVE: the 8 bytes at `where` become load bias + `target`.
struct RelativeRelocation {
  LinkAddr where;
  LinkAddr target;
};

/// All of them (DT_RELA of PT_DYNAMIC), ascending by `where`; empty for a file that has none.
/// Packed relocations (DT_RELR) are not read. Notes no pages: keep the answer, not the bytes.
std::vector<RelativeRelocation> find_relative_relocations(const File& file);

}  // namespace weir::elf
