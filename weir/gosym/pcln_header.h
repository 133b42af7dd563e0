#pragma once
// PclnHeader: the first bytes of Go's function table (gopclntab) and how to recognise one.
#include <cstdint>

#include "weir/elf/file.h"

namespace weir::gosym {

/// runtime.pcHeader, src/runtime/symtab.go, go1.18–1.27. Offsets are from the header's start.
struct PclnHeader {
  bool go_1_18 = false;      ///< magic 0xfffffff0 (1.18, 1.19): _func is 40 bytes, inlinedCall 20;
                             ///< else 0xfffffff1 (1.20+): 44 and 16
  std::uint8_t quantum = 1;  ///< minLC: every pc delta is a multiple of it; 1 amd64, 4 arm64
  std::uint64_t function_count = 0;
  std::uint64_t file_count = 0;
  std::uint64_t names = 0;      ///< NUL-terminated function names
  std::uint64_t units = 0;      ///< u32 per (compilation unit, file): offset into files
  std::uint64_t files = 0;      ///< NUL-terminated file names
  std::uint64_t pc_values = 0;  ///< pc-value programs
  std::uint64_t functions = 0;  ///< ftab, then _func records
};

/// Reads and checks a header: magic, ordered offsets inside `table` (which may reach past the real
/// end), room for all functions, and that the first, middle and last record agree with the index.
/// Errors: invalid, truncated, unsupported (big endian, 32 bit, Go before 1.18).
Result<PclnHeader> parse_pcln_header(const bytes::Window& table, elf::Machine machine);

/// Where the table is: section .gopclntab or .data.rel.ro.gopclntab, else an 8-aligned search of
/// the loaded bytes. Errors: not_found.
Result<LinkAddr> find_pclntab(const elf::File& file);

}  // namespace weir::gosym
