#include "weir/gosym/table.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/pclntab_builder.h"

namespace weir::gosym {
namespace {

using test_support::ElfBuilder;
using test_support::PclntabBuilder;

constexpr LinkAddr text{0x401000}, pclntab{0x500000}, gofunc{0x600000};

// main.outer [0, 32): at 8..16 a call of main.middle is inlined, which has main.inner inlined.
PclntabBuilder small_program(bool go_1_18 = false) {
  PclntabBuilder table;
  table.go_1_18 = go_1_18;
  const std::uint8_t wrapper = go_1_18 ? 21 : 23;
  table.add({.name = "main.outer",
             .size = 32,
             .start_line = 10,
             .sp = {{0, 4}, {24, 30}, {0, 32}},
             .file = {{0, 8}, {1, 16}, {0, 32}},
             .line = {{10, 4}, {12, 8}, {99, 16}, {13, 24}, {14, 32}},
             .unsafe_point = {{-1, 4}, {-2, 32}},
             .inline_index = {{-1, 4}, {0, 8}, {1, 16}, {-1, 32}},
             .inlined = {{0, "main.middle", 20, 40}, {wrapper, "main.inner", 5, 90}}});
  table.add({.name = "main.asm", .size = 16, .start_line = 3, .id = wrapper});
  table.add({.name = "main.asm", .size = 16, .start_line = 3, .flags = 4});
  table.build();
  return table;
}

// Owns the file that the table reads.
struct Program {
  std::string image;
  std::unique_ptr<elf::File> file;
  std::unique_ptr<Table> table;
};

Location location(int go_minor) {
  Location where;
  where.pclntab = pclntab;
  where.text = text;
  where.gofunc = gofunc;
  where.go_minor = go_minor;
  return where;
}

Program load(const PclntabBuilder& built, const Location& where, std::uint16_t machine = 62) {
  Program program;
  ElfBuilder elf;
  elf.machine = machine;
  elf.add({.address = pclntab.value, .content = built.table(), .section = ".gopclntab"});
  elf.add({.address = gofunc.value, .content = built.gofunc()});
  program.image = elf.build();
  auto file = elf::File::parse(bytes::as_bytes(program.image));
  EXPECT_TRUE(file.has_value());
  program.file = std::make_unique<elf::File>(std::move(*file));
  auto table = Table::open(*program.file, where);
  EXPECT_TRUE(table.has_value()) << to_string(table.error());
  if (table) program.table = std::make_unique<Table>(std::move(*table));
  return program;
}

std::string describe(const Table& table, LinkAddr pc) {
  const auto function = table.find_function(pc);
  if (!function) return "none";
  std::vector<InlineFrame> frames;
  table.append_frames(*function, pc, frames);
  std::string out;
  for (const InlineFrame& frame : frames) {
    out += std::string(frame.function) + " " + std::string(frame.source.file) + ":" +
           std::to_string(frame.source.line) + " from " + std::to_string(frame.start_line) +
           (frame.inlined ? " in " : "");
  }
  return out;
}

TEST(Table, FindsFunctionsByPc) {
  const Program program = load(small_program(), location(26));
  const Table& table = *program.table;
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.find_function(text)->name, "main.outer");
  EXPECT_EQ(table.find_function(text + 31)->name, "main.outer");
  EXPECT_EQ(table.find_function(text + 32)->index, 1u);
  EXPECT_EQ(table.find_function(text + 63)->index, 2u);
  EXPECT_FALSE(table.find_function(text + 64).has_value());
  EXPECT_FALSE(table.find_function(LinkAddr{text.value - 1}).has_value());
  EXPECT_FALSE(table.find_function(text + (1ull << 32)).has_value());
  EXPECT_FALSE(table.function(3).has_value());
  const Function outer = *table.function(0);
  EXPECT_EQ(outer.entry, text);
  EXPECT_EQ(outer.end, text + 32);
  EXPECT_EQ(outer.start_line, 10);
  EXPECT_EQ(outer.args_size, 8);
  EXPECT_TRUE(table.function(2)->flags.assembly());
}

TEST(Table, FindsFunctionsByNameWrappersLast) {
  const Program program = load(small_program(), location(26));
  EXPECT_EQ(program.table->find_function("main.asm")->index, 2u);
  EXPECT_EQ(program.table->find_function("main.outer")->index, 0u);
  EXPECT_FALSE(program.table->find_function("main.inner").has_value());  // only ever inlined
  EXPECT_FALSE(program.table->find_function("main.out").has_value());
  EXPECT_FALSE(program.table->find_function("").has_value());
}

TEST(Table, ReadsPcValues) {
  const Program program = load(small_program(), location(26));
  const Table& table = *program.table;
  const Function outer = *table.function(0);
  EXPECT_EQ(table.find_sp_delta(outer, text), 0);
  EXPECT_EQ(table.find_sp_delta(outer, text + 4), 24);
  EXPECT_EQ(table.find_sp_delta(outer, text + 31), 0);
  EXPECT_EQ(table.find_sp_delta(outer, text + 32), std::nullopt);
  EXPECT_EQ(table.find_pcdata(outer, pcdata_unsafe_point, text), unsafe_point_safe);
  EXPECT_EQ(table.find_pcdata(outer, pcdata_unsafe_point, text + 9), unsafe_point_unsafe);
  EXPECT_EQ(table.find_pcdata(outer, pcdata_stack_map, text), -1);
  EXPECT_EQ(table.find_pcdata(outer, 77, text), -1);
  EXPECT_EQ(table.find_funcdata(outer, funcdata_inline_tree), gofunc);
  EXPECT_EQ(table.find_funcdata(outer, funcdata_args_maps), std::nullopt);
  EXPECT_EQ(table.find_line(*table.function(1), text + 33).file, "?");
}

TEST(Table, ExpandsInlinedCallsInnermostFirst) {
  const Program program = load(small_program(), location(26));
  EXPECT_EQ(describe(*program.table, text), "main.outer /src/a.go:10 from 10");
  EXPECT_EQ(describe(*program.table, text + 6),
            "main.middle /src/a.go:12 from 40 in main.outer /src/a.go:13 from 10");
  EXPECT_EQ(describe(*program.table, text + 9),
            "main.inner /src/b.go:99 from 90 in main.middle /src/a.go:12 from 40 in "
            "main.outer /src/a.go:13 from 10");
  std::vector<InlineFrame> frames;
  program.table->append_frames(*program.table->function(0), text + 9, frames);
  EXPECT_EQ(frames[0].id, FuncId::wrapper);
  EXPECT_EQ(frames[0].pc, text + 9);
  EXPECT_EQ(frames[1].pc, text + 5);
  EXPECT_EQ(frames[2].pc, text + 20);
}

TEST(Table, ReadsTheLayoutsOfGo119) {
  const Program program = load(small_program(true), location(19));
  EXPECT_EQ(describe(*program.table, text + 9),
            "main.inner /src/b.go:99 from 0 in main.middle /src/a.go:12 from 0 in "
            "main.outer /src/a.go:13 from 0");
  EXPECT_EQ(program.table->function(1)->id, FuncId::wrapper);
  EXPECT_FALSE(program.table->has_start_lines());
}

TEST(Table, CountsInInstructionsOnArm64) {
  PclntabBuilder built;
  built.quantum = 4;
  built.add({.name = "f", .size = 16, .sp = {{0, 4}, {16, 16}}});
  built.build();
  const Program program = load(built, location(26), 183);
  const Function f = *program.table->function(0);
  EXPECT_EQ(program.table->find_sp_delta(f, text), 0);
  EXPECT_EQ(program.table->find_sp_delta(f, text + 4), 16);
  EXPECT_EQ(program.table->find_sp_delta(f, text + 16), std::nullopt);
}

TEST(Table, MapsSplitText) {
  Location where = location(26);
  // Offsets [0, 32) stay; [32, 64) were moved by the external linker.
  where.text_sections = {{0, 32, {text.value}}, {32, 64, {0x900000}}};
  const Program program = load(small_program(), where);
  EXPECT_EQ(program.table->find_function(text + 31)->name, "main.outer");
  EXPECT_FALSE(program.table->find_function(text + 33).has_value());
  const auto moved = program.table->find_function({0x900000});
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(moved->index, 1u);
  EXPECT_EQ(moved->entry.value, 0x900000u);
  EXPECT_EQ(program.table->function(2)->end.value, 0x900020u);
}

TEST(Table, ACycleOfInlinedCallsEnds) {
  PclntabBuilder built;
  built.add({.name = "f", .size = 16, .inline_index = {{0, 16}}, .inlined = {{0, "g", 3, 1}}});
  built.build();
  const Program program = load(built, location(26));
  std::vector<InlineFrame> frames;
  program.table->append_frames(*program.table->function(0), text, frames);
  EXPECT_EQ(frames.size(), 2u);
}

TEST(Table, RefusesTablesThatAreNone) {
  const std::string good = small_program().table();
  const auto code_with = [&](std::size_t at, std::uint64_t value) {
    std::string table = good;
    std::memcpy(table.data() + at, &value, at == 0 ? 4 : 8);
    const auto parsed =
        parse_pcln_header(bytes::Window(bytes::as_bytes(table), 0, nullptr), elf::Machine::amd64);
    return parsed ? std::optional<ErrorCode>() : parsed.error().code;
  };
  EXPECT_EQ(code_with(0, 0xfffffffb), ErrorCode::unsupported);
  EXPECT_EQ(code_with(0, 0x12345678), ErrorCode::invalid);
  EXPECT_EQ(code_with(8, 0), ErrorCode::invalid);           // no functions
  EXPECT_EQ(code_with(8, 1ull << 61), ErrorCode::invalid);  // too many
  EXPECT_EQ(code_with(8, 4), ErrorCode::invalid);           // index and records disagree
  EXPECT_EQ(code_with(32, ~0ull), ErrorCode::invalid);      // names out of range
  EXPECT_EQ(code_with(64, 72), ErrorCode::invalid);         // parts out of order
  EXPECT_EQ(code_with(24, 0x401000), std::nullopt);         // textStart does not matter
  EXPECT_EQ(parse_pcln_header(bytes::Window(bytes::as_bytes(good), 0, nullptr), elf::Machine::arm64)
                .error()
                .code,
            ErrorCode::invalid);
}

TEST(FindPclntab, SearchesWhenThereIsNoSection) {
  const PclntabBuilder built = small_program();
  ElfBuilder elf;
  elf.section_headers = false;
  // A decoy with the right first word, and the table at an 8-aligned address behind it.
  std::string content = built.table().substr(0, 80) + std::string(3, '\0');
  const std::uint64_t shift = 5;
  elf.add({.address = 0x500000 + shift, .content = content + built.table()});
  const std::string image = elf.build();
  const auto file = elf::File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value());
  const auto found = find_pclntab(*file);
  ASSERT_TRUE(found.has_value()) << to_string(found.error());
  EXPECT_EQ(found->value, 0x500000 + shift + content.size());
}

}  // namespace
}  // namespace weir::gosym
