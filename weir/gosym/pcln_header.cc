#include "weir/gosym/pcln_header.h"

#include <fmt/format.h>

#include <array>

namespace weir::gosym {

namespace {

constexpr std::uint32_t magic_1_18 = 0xfffffff0;
constexpr std::uint32_t magic_1_20 = 0xfffffff1;
constexpr std::size_t header_size = 72;

std::uint8_t quantum_of(elf::Machine machine) {
  return machine == elf::Machine::amd64 ? 1 : 4;
}

Result<void> check_order(const PclnHeader& header, const bytes::Window& table) {
  const std::array<std::uint64_t, 6> bounds = {header_size,  header.names,     header.units,
                                               header.files, header.pc_values, header.functions};
  for (std::size_t i = 1; i < bounds.size(); ++i) {
    if (bounds[i] < bounds[i - 1] || bounds[i] > table.size()) {
      return fail(ErrorCode::invalid, "the parts of the function table are out of order or range",
                  FileOffset{table.file_offset() + 24 + 8 * i});
    }
  }
  const std::uint64_t room = (table.size() - header.functions) / 8;
  if (header.function_count == 0 || header.function_count >= room) {
    return fail(ErrorCode::invalid,
                fmt::format("a function table of {} functions does not fit", header.function_count),
                FileOffset{table.file_offset() + 8});
  }
  return {};
}

// ftab[index] names a record that holds the same entry offset, behind the index itself.
bool record_agrees(const PclnHeader& header, const bytes::Window& table, std::uint64_t index) {
  std::uint32_t entry = 0, record = 0, entry_again = 0;
  return table.read(header.functions + 8 * index, entry) &&
         table.read(header.functions + 8 * index + 4, record) &&
         record >= 8 * header.function_count &&
         table.read(header.functions + record, entry_again) && entry == entry_again;
}

bool is_pclntab(const elf::File& file, LinkAddr at) {
  // A search notes no pages: its outcome is what a recording keeps.
  const bytes::Window window(file.window_at(at).unnoted(), 0, nullptr);
  return parse_pcln_header(window, file.machine()).has_value();
}

// The 8 bytes every table of this machine begins with.
std::uint64_t first_word(std::uint32_t magic, elf::Machine machine) {
  return magic | std::uint64_t{quantum_of(machine)} << 48 | std::uint64_t{8} << 56;
}

}  // namespace

Result<PclnHeader> parse_pcln_header(const bytes::Window& table, elf::Machine machine) {
  bytes::Cursor cursor(table.take(0, header_size));
  const std::uint32_t magic = cursor.u32();
  const std::uint16_t pads = cursor.u16();
  PclnHeader header;
  header.quantum = cursor.u8();
  const std::uint8_t pointer_size = cursor.u8();
  if (!cursor.ok()) return fail(ErrorCode::truncated, "the function table's header is cut");
  if (magic != magic_1_18 && magic != magic_1_20) {
    const bool old = magic == 0xfffffffb || magic == 0xfffffffa;
    return fail(old ? ErrorCode::unsupported : ErrorCode::invalid,
                fmt::format("function table magic {:#x}{}", magic,
                            old ? " is of Go 1.17 or older" : " is not Go's"),
                FileOffset{table.file_offset()});
  }
  header.go_1_18 = magic == magic_1_18;
  if (pads != 0 || header.quantum != quantum_of(machine) || pointer_size != 8) {
    return fail(ErrorCode::invalid, "the function table is of another machine",
                FileOffset{table.file_offset() + 4});
  }
  header.function_count = cursor.u64();
  header.file_count = cursor.u64();
  cursor
      .u64();  // textStart: relocated in PIE, unused since 1.26; moduledata.text is the one to use
  header.names = cursor.u64();
  header.units = cursor.u64();
  header.files = cursor.u64();
  header.pc_values = cursor.u64();
  header.functions = cursor.u64();
  WEIR_TRY_VOID(check_order(header, table));
  for (const std::uint64_t index :
       {std::uint64_t{0}, header.function_count / 2, header.function_count - 1}) {
    if (!record_agrees(header, table, index)) {
      return fail(ErrorCode::invalid,
                  fmt::format("record {} of the function table disagrees with its index", index),
                  FileOffset{table.file_offset() + header.functions + 8 * index});
    }
  }
  return header;
}

Result<LinkAddr> find_pclntab(const elf::File& file) {
  for (const std::string_view name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    const auto section = file.find_section(name);
    if (section && is_pclntab(file, section->start)) return section->start;
  }
  const std::uint64_t words[] = {first_word(magic_1_20, file.machine()),
                                 first_word(magic_1_18, file.machine())};
  for (const elf::Segment& load : file.loads()) {
    const bytes::Bytes all = file.file_window(load.file_offset, load.file_size).unnoted();
    for (std::uint64_t at = (8 - load.start.value % 8) % 8; at + 8 <= all.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, all.data() + at, sizeof word);
      if ((word == words[0] || word == words[1]) && is_pclntab(file, load.start + at)) {
        return load.start + at;
      }
    }
  }
  return fail(ErrorCode::not_found, "no Go function table (gopclntab)");
}

}  // namespace weir::gosym
