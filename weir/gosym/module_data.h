#pragma once
// ModuleData: the linker's description of a Go program in its own memory, and how to find it there.
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/elf/file.h"
#include "weir/gosym/read_memory.h"

namespace weir::gosym {

/// Byte offsets within runtime.moduledata of what moved between Go versions (amd64 and arm64
/// alike). What stands before offset 256 has not moved since 1.18.
/// Source of truth: src/runtime/symtab.go, type moduledata, checked against each toolchain's DWARF.
struct ModuleLayout {
  int first_minor = 0;  ///< the first Go 1.N that has this layout
  std::uint32_t end = 0, gcdata = 0, gcbss = 0;
  std::uint32_t types = 0, etypes = 0, rodata = 0, gofunc = 0;
  std::uint32_t textsectmap = 0;                ///< []textsect
  std::uint32_t has_main = 0;                   ///< u8
  std::uint32_t gcdatamask = 0, gcbssmask = 0;  ///< bitvector{n int32; bytedata *uint8}
  std::uint32_t next = 0;
  std::uint32_t size = 0;
};

/// The layout of Go 1.`minor`; null before 1.19. A version newer than known gets the newest:
/// read_module_data() checks that it fits.
const ModuleLayout* find_module_layout(int minor);
/// All layouts, oldest first.
std::span<const ModuleLayout> module_layouts();

/// runtime.textsect: a program whose text was split by the linker keeps a map from the offsets in
/// the function table to addresses.
struct TextSection {
  std::uint64_t start = 0;  ///< vaddr: offset as the function table counts
  std::uint64_t end = 0;
  Address base;  ///< baseaddr: where it is
};

/// runtime.bitvector: one bit a word, set for words that may hold a pointer.
struct PointerMask {
  std::uint32_t bit_count = 0;
  Address bits;
};

/// A decoded runtime.moduledata. All addresses are run-time ones; those of a ModuleData read from a
/// file are as if it had been loaded with bias 0.
struct ModuleData {
  Address at;  ///< where it is itself
  Address pc_header;
  Address min_pc, max_pc;
  Address text, etext;
  Address noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss;
  Address end, gcdata, gcbss;
  Address types, etypes, rodata, gofunc;
  std::vector<TextSection> text_sections;  ///< empty unless there are at least two
  PointerMask data_mask, bss_mask;         ///< filled in by the runtime at start: zero in a file
  bool has_main = false;
  Address next;  ///< the next module (plugins, shared libraries), 0 for none
};

/// A range of memory to search.
struct SearchRange {
  Address start;
  std::uint64_t size = 0;
};

/// Decodes the moduledata at `at` and checks that it is one: ordered ranges, a function index of
/// `function_count` + 1 entries, sane text sections. Errors: unmapped, invalid.
Result<ModuleData> read_module_data(const ReadMemory& read, Address at, const ModuleLayout& layout,
                                    Address pc_header, std::uint64_t function_count);

/// What identifies a program's moduledata.
struct ModuleKey {
  Address pc_header;                 ///< the function table, where it is loaded
  std::uint64_t names_offset = 0;    ///< PclnHeader::names
  std::uint64_t function_count = 0;  ///< PclnHeader::function_count
  int go_minor = 0;                  ///< 0 if not known: every layout is tried, newest first
};

/// Searches `ranges` at 8-byte steps for words (pc_header, pc_header + names_offset) that begin a
/// valid moduledata. Unreadable parts are passed over. Errors: not_found; unsupported for a Go
/// older than 1.19.
Result<ModuleData> find_module_data(const ReadMemory& read, std::span<const SearchRange> ranges,
                                    const ModuleKey& key);

/// The same in a program that runs (or a core): `file` is its executable, `pclntab` as
/// find_pclntab() gave it, `bias` its load bias.
Result<ModuleData> find_live_module_data(const ReadMemory& read, const elf::File& file,
                                         LinkAddr pclntab, LoadBias bias, int go_minor);

/// The same in the file itself, relative relocations applied.
Result<ModuleData> find_static_module_data(const elf::File& file, LinkAddr pclntab, int go_minor);

}  // namespace weir::gosym
