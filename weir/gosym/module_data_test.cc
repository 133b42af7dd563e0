#include "weir/gosym/module_data.h"

#include <gtest/gtest.h>

#include <map>

#include "weir/gosym/type_name.h"

namespace weir::gosym {
namespace {

constexpr Address base{0x7000};
constexpr std::uint64_t page = 4096, chunk = 16 * page;
constexpr ModuleKey key{{0x400000}, 96, 3, 27};

// A memory of one range.
struct FakeMemory {
  std::vector<std::byte> bytes = std::vector<std::byte>(3 * chunk);
  std::uint64_t hole_start = 0, hole_end = 0;  // offsets that cannot be read

  void put(std::uint64_t offset, std::uint64_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  ReadMemory reader() {
    return [this](Address at, std::span<std::byte> into) {
      const std::uint64_t offset = at - base;
      if (offset > bytes.size() || into.size() > bytes.size() - offset) return false;
      if (offset < hole_end && offset + into.size() > hole_start) return false;
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
      return true;
    };
  }
  void put_module(std::uint64_t at, const ModuleLayout& layout) {
    put(at, key.pc_header.value);
    put(at + 8, key.pc_header.value + key.names_offset);
    put(at + 136, key.function_count + 1);  // len(ftab)
    for (std::uint64_t i = 0; i < 4; ++i) put(at + 160 + 8 * i, i % 2 == 0 ? 0x401000 : 0x402000);
    for (std::uint64_t i = 0; i < 8; ++i) put(at + 192 + 8 * i, 0x500000 + 16 * i);
    put(at + layout.end, 0x600000);
    put(at + layout.types, 0x410000);
    put(at + layout.etypes, 0x420000);
    put(at + layout.rodata, 0x408000);
    put(at + layout.gofunc, 0x430000);
    put(at + layout.has_main, 1);
    put(at + layout.gcdatamask, 2);
    put(at + layout.next, 0);
  }
  std::vector<SearchRange> everything() { return {{base, bytes.size()}}; }
};

TEST(ModuleData, IsFoundAcrossChunksAndPastHoles) {
  const ModuleLayout& layout = *find_module_layout(27);
  // Begins 8 bytes before a 64 KiB chunk ends: both words must be seen together.
  for (const std::uint64_t at : {std::uint64_t{0}, chunk - 8, chunk, 2 * chunk + 8}) {
    FakeMemory memory;
    memory.put_module(at, layout);
    memory.put(20 * page, key.pc_header.value);  // a pointer to the header alone is not it
    memory.hole_start = 10 * page;
    memory.hole_end = 11 * page;
    const auto data = find_module_data(memory.reader(), memory.everything(), key);
    ASSERT_TRUE(data.has_value()) << at << to_string(data.error());
    EXPECT_EQ(data->at - base, at);
    EXPECT_EQ(data->gofunc.value, 0x430000u);
    EXPECT_EQ(data->text.value, 0x401000u);
    EXPECT_EQ(data->edata.value, 0x500030u);
    EXPECT_EQ(data->data_mask.bit_count, 2u);
    EXPECT_TRUE(data->has_main);
  }
}

TEST(ModuleData, TheLayoutIsToldWithoutTheVersion) {
  for (const ModuleLayout& layout : module_layouts()) {
    FakeMemory memory;
    memory.put_module(4096, layout);
    ModuleKey blind = key;
    blind.go_minor = 0;
    const auto data = find_module_data(memory.reader(), memory.everything(), blind);
    ASSERT_TRUE(data.has_value()) << layout.first_minor;
    EXPECT_EQ(data->gofunc.value, 0x430000u) << layout.first_minor;
  }
}

TEST(ModuleData, RefusesWhatDoesNotHold) {
  const ModuleLayout& layout = *find_module_layout(27);
  const std::map<std::uint64_t, std::uint64_t> flaws = {
      {136, 3},                        // another number of functions
      {168, 0x300000},                 // maxpc < minpc
      {208, 0x600001},                 // data > edata
      {layout.types, 0},               // no types
      {layout.textsectmap + 8, 5000},  // a text section map that is too long
      {layout.has_main, 7},            // not a flag
  };
  for (const auto& [offset, value] : flaws) {
    FakeMemory memory;
    memory.put_module(4096, layout);
    memory.put(4096 + offset, value);
    const auto data = find_module_data(memory.reader(), memory.everything(), key);
    EXPECT_FALSE(data.has_value()) << offset;
  }
  FakeMemory memory;
  ModuleKey old = key;
  old.go_minor = 17;
  EXPECT_EQ(find_module_data(memory.reader(), memory.everything(), old).error().code,
            ErrorCode::unsupported);
  EXPECT_EQ(find_module_data(memory.reader(), memory.everything(), key).error().code,
            ErrorCode::not_found);
}

TEST(ModuleData, ReadsTheTextSectionMap) {
  const ModuleLayout& layout = *find_module_layout(27);
  FakeMemory memory;
  memory.put_module(4096, layout);
  memory.put(4096 + layout.textsectmap, base.value + 8192);
  memory.put(4096 + layout.textsectmap + 8, 2);
  memory.put(4096 + layout.textsectmap + 16, 2);
  const std::uint64_t words[] = {0, 0x500, 0x401000, 0x500, 0x900, 0x801000};
  for (std::uint64_t i = 0; i < std::size(words); ++i) memory.put(8192 + 8 * i, words[i]);
  const auto data = find_module_data(memory.reader(), memory.everything(), key);
  ASSERT_TRUE(data.has_value()) << to_string(data.error());
  ASSERT_EQ(data->text_sections.size(), 2u);
  EXPECT_EQ(data->text_sections[1].start, 0x500u);
  EXPECT_EQ(data->text_sections[1].base.value, 0x801000u);
}

TEST(TypeName, FollowsTheOffsetAndDropsTheExtraStar) {
  FakeMemory memory;
  memory.put(0x100 + 40, 0x400);
  memory.put(0x100 + 20, 2);
  std::memcpy(memory.bytes.data() + 0x400, "\x01\x07*main.T", 9);
  const auto name = [&](std::uint64_t type) {
    return read_type_name(memory.reader(), base, base + 0x1000, base + type);
  };
  EXPECT_EQ(name(0x100).value(), "main.T");
  memory.put(0x100 + 20, 0);
  EXPECT_EQ(name(0x100).value(), "*main.T");
  EXPECT_EQ(name(0x2000).error().code, ErrorCode::unsupported);
  memory.put(0x100 + 40, 0xffffff00);
  EXPECT_EQ(name(0x100).error().code, ErrorCode::invalid);
  memory.put(0x100 + 40, 0x400);
  std::memcpy(memory.bytes.data() + 0x400, "\x01\xff\xff\xff\xff", 5);
  EXPECT_EQ(name(0x100).error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace weir::gosym
