#include "weir/gosym/table.h"

#include <algorithm>

namespace weir::gosym {

namespace {

constexpr std::size_t name_limit = 64 << 10;  // longer names are cut by no known Go program

constexpr std::uint32_t max_steps = 1 << 22;  // of a pc-value program; bounds broken ones

// A pc-value program being walked (runtime.step): pairs of zig-zag value and pc deltas. Values and
// pcs count in 32 bits with wrap-around, as in the runtime.
struct Program {
  const std::uint8_t* at;
  const std::uint8_t* end;
  std::int32_t value = -1;
  std::uint64_t pc_offset = 0;  // where the value stops being valid
  bool first = true;

  bool read_varint(std::uint32_t& result) {
    result = 0;
    for (unsigned shift = 0; at != end && shift < 35; shift += 7) {
      const std::uint8_t byte = *at++;
      result |= static_cast<std::uint32_t>(byte & 0x7f) << (shift & 31);
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  bool step(std::uint8_t quantum) {
    std::uint32_t value_delta = 0, pc_delta = 0;
    if (!read_varint(value_delta) || (value_delta == 0 && !first)) return false;
    if (!read_varint(pc_delta)) return false;
    first = false;
    value = static_cast<std::int32_t>(static_cast<std::uint32_t>(value) +
                                      ((0u - (value_delta & 1)) ^ (value_delta >> 1)));
    pc_offset += std::uint64_t{pc_delta} * quantum;
    return true;
  }
};

bytes::Window between(const bytes::Window& table, std::uint64_t start, std::uint64_t end) {
  return table.part(start, end - start);
}

}  // namespace

Result<Table> Table::open(const elf::File& file, const Location& location) {
  Table table;
  table.location_ = location;
  table.table_ = file.window_at(location.pclntab);
  WEIR_TRY(table.header_, parse_pcln_header(table.table_, file.machine()));
  const PclnHeader& header = table.header_;
  table.names_ = between(table.table_, header.names, header.units);
  table.units_ = between(table.table_, header.units, header.files);
  table.files_ = between(table.table_, header.files, header.pc_values);
  table.pc_values_ = between(table.table_, header.pc_values, header.functions);
  table.functions_ = between(table.table_, header.functions, table.table_.size());
  table.gofunc_ = file.window_at(location.gofunc);
  if (table.location_.go_minor == 0 && header.go_1_18) table.location_.go_minor = 19;
  return table;
}

std::optional<Function> Table::function(std::uint32_t index) const {
  if (index >= header_.function_count) return std::nullopt;
  const bytes::Bytes row = functions_.take(8 * std::uint64_t{index}, 12);
  bytes::Cursor ftab(row);
  const std::uint32_t entry = ftab.u32();
  const std::uint32_t record = ftab.u32();
  const std::uint32_t next_entry = ftab.u32();
  // The index cannot hold records: this also tells a page that a recording does not have.
  if (!ftab.ok() || record < 8 * header_.function_count) return std::nullopt;

  const std::size_t fixed_size = header_.go_1_18 ? 40 : 44;
  bytes::Cursor cursor(functions_.take(record, fixed_size));
  Function f;
  f.index = index;
  f.entry = to_address(entry);
  f.end = to_address(next_entry);
  if (cursor.u32() != entry) return std::nullopt;
  f.name = name_at(cursor.u32());
  f.args_size = cursor.read<std::int32_t>();
  f.defer_return = cursor.u32();
  f.sp_program = cursor.u32();
  f.file_program = cursor.u32();
  f.line_program = cursor.u32();
  f.pcdata_count = cursor.u32();
  f.unit_offset = cursor.u32();
  if (!header_.go_1_18) f.start_line = cursor.read<std::int32_t>();
  f.id = to_func_id(cursor.u8(), location_.go_minor);
  f.flags.bits = cursor.u8();
  cursor.u8();
  f.funcdata_count = cursor.u8();
  f.tables_offset = record + fixed_size;
  if (!cursor.ok()) return std::nullopt;
  return f;
}

std::optional<Function> Table::find_function(LinkAddr pc) const {
  const auto offset = to_text_offset(pc);
  if (!offset) return std::nullopt;
  const auto index = find_index(*offset);
  return index ? function(*index) : std::nullopt;
}

std::optional<std::uint32_t> Table::find_index(std::uint32_t text_offset) const {
  // The last row whose entry is <= text_offset, by halving.
  std::uint64_t low = 0, high = header_.function_count;
  std::uint32_t entry = 0;
  if (!functions_.read(0, entry) || text_offset < entry) return std::nullopt;
  if (!functions_.read(8 * high, entry) || text_offset >= entry) return std::nullopt;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (!functions_.read(8 * middle, entry)) return std::nullopt;
    (entry <= text_offset ? low : high) = middle;
  }
  return static_cast<std::uint32_t>(low);
}

std::optional<std::uint32_t> Table::to_text_offset(LinkAddr pc) const {
  // moduledata.textOff
  for (const TextSection& section : location_.text_sections) {
    const std::uint64_t into = pc.value - section.base.value;
    if (into < section.end - section.start) {
      return static_cast<std::uint32_t>(section.start + into);
    }
  }
  const std::uint64_t offset = pc.value - location_.text.value;
  if (!location_.text_sections.empty() || offset > 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(offset);
}

LinkAddr Table::to_address(std::uint32_t text_offset) const {
  // moduledata.textAddr: the last section's end belongs to it.
  for (std::size_t i = 0; i < location_.text_sections.size(); ++i) {
    const TextSection& section = location_.text_sections[i];
    const bool last = i + 1 == location_.text_sections.size();
    if (text_offset >= section.start &&
        (text_offset < section.end || (last && text_offset == section.end))) {
      return {section.base.value + (text_offset - section.start)};
    }
  }
  return location_.text + text_offset;
}

std::string_view Table::name_at(std::uint32_t offset) const {
  std::string_view name;
  if (offset != 0) names_.read_c_string(offset, name_limit, name);
  return name;
}

std::int32_t Table::run_program(std::uint32_t program, std::uint64_t pc_offset) const {
  const bytes::Bytes all = pc_values_.unnoted();
  if (program == 0 || program >= all.size()) return -1;
  const auto* start = reinterpret_cast<const std::uint8_t*>(all.data()) + program;
  Program walk{start, reinterpret_cast<const std::uint8_t*>(all.data()) + all.size()};
  std::int32_t value = -1;
  for (std::uint32_t steps = 0; steps < max_steps && walk.step(header_.quantum); ++steps) {
    if (pc_offset >= walk.pc_offset) continue;
    value = walk.value;
    break;
  }
  pc_values_.note(program, static_cast<std::uint64_t>(walk.at - start));
  return value;
}

std::optional<std::int32_t> Table::find_sp_delta(const Function& function, LinkAddr pc) const {
  const std::int32_t delta = run_program(function.sp_program, pc.value - function.entry.value);
  if (delta < 0) return std::nullopt;
  return delta;
}

std::string_view Table::file_at(const Function& function, std::int32_t file) const {
  std::uint32_t offset = 0;
  std::string_view name = "?";
  const std::uint64_t slot =
      (std::uint64_t{function.unit_offset} + static_cast<std::uint32_t>(file)) * 4;
  if (units_.read(slot, offset) && offset != 0xffffffff) {
    files_.read_c_string(offset, name_limit, name);
  }
  return name;
}

SourceLine Table::find_line(const Function& function, LinkAddr pc) const {
  // runtime.funcline1
  const std::uint64_t offset = pc.value - function.entry.value;
  const std::int32_t file = run_program(function.file_program, offset);
  const std::int32_t line = run_program(function.line_program, offset);
  if (file < 0 || line == -1) return {};
  return {file_at(function, file), line};
}

std::int32_t Table::find_pcdata(const Function& function, std::uint32_t table, LinkAddr pc) const {
  std::uint32_t program = 0;
  if (table >= function.pcdata_count ||
      !functions_.read(function.tables_offset + 4 * std::uint64_t{table}, program)) {
    return -1;
  }
  return run_program(program, pc.value - function.entry.value);
}

std::optional<LinkAddr> Table::find_funcdata(const Function& function, std::uint8_t index) const {
  std::uint32_t offset = 0;
  const std::uint64_t slot = std::uint64_t{function.pcdata_count} + index;
  if (index >= function.funcdata_count ||
      !functions_.read(function.tables_offset + 4 * slot, offset) || offset == 0xffffffff) {
    return std::nullopt;
  }
  return location_.gofunc + offset;
}

}  // namespace weir::gosym
