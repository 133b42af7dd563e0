#include "weir/elf/file.h"

#include <gtest/gtest.h>

#include "tests/support/elf_builder.h"
#include "weir/elf/relocations.h"

namespace weir::elf {
namespace {

using test_support::ElfBuilder;
using test_support::put;

std::string note(std::string_view owner, std::uint32_t type, std::string_view content) {
  std::string out;
  put(out, static_cast<std::uint32_t>(owner.size() + 1));
  put(out, static_cast<std::uint32_t>(content.size()));
  put(out, type);
  out.append(owner).append(1, '\0');
  out.append((4 - out.size() % 4) % 4, '\0');
  out.append(content);
  out.append((4 - out.size() % 4) % 4, '\0');
  return out;
}

ElfBuilder two_segments() {
  ElfBuilder elf;
  // Not in the order of addresses.
  elf.add(
      {.flags = 6, .address = 0x500000, .content = "data", .memory_size = 100, .section = ".data"});
  elf.add({.flags = 5, .address = 0x401000, .content = "text bytes", .section = ".text"});
  elf.add({.type = 4, .content = note("GNU", 3, "\x01\xab") + note("Go", 4, "go/build/id")});
  return elf;
}

TEST(ElfFile, ReadsSegmentsSectionsAndBytes) {
  const std::string image = two_segments().build();
  const auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value()) << to_string(file.error());
  EXPECT_EQ(file->machine(), Machine::amd64);
  EXPECT_FALSE(file->is_pie());
  EXPECT_TRUE(file->is_static());
  EXPECT_EQ(file->entry().value, 0x401000u);
  ASSERT_EQ(file->loads().size(), 2u);
  EXPECT_EQ(file->loads()[0].start.value, 0x401000u);
  EXPECT_TRUE(file->loads()[0].executable);
  EXPECT_FALSE(file->loads()[0].writable);
  EXPECT_EQ(bytes::as_text(file->read({0x401005}, 5).value()), "bytes");
  ASSERT_TRUE(file->find_section(".text").has_value());
  EXPECT_EQ(bytes::as_text(file->section_bytes(*file->find_section(".data")).unnoted()), "data");
  EXPECT_FALSE(file->find_section(".bss").has_value());
  EXPECT_EQ(file->gnu_build_id(), "01ab");
  EXPECT_EQ(file->go_build_id(), "go/build/id");
}

TEST(ElfFile, FindsTheBuildIdBehindTheNotes) {
  const std::string id(20, '\xab');
  std::string hex;
  for (int i = 0; i < 20; ++i) hex += "ab";
  ElfBuilder elf;  // as Go's linker does it
  elf.add({.type = 4, .content = note("Go", 4, "go/build/id")});
  elf.add({.flags = 5, .address = 0x401000, .content = note("GNU", 3, id) + "text"});
  std::string image = elf.build();
  auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value()) << to_string(file.error());
  EXPECT_EQ(file->gnu_build_id(), "");
  EXPECT_EQ(file->gnu_build_id_near_notes(), hex);
  EXPECT_EQ(file->go_build_id(), "go/build/id");

  image[image.find("GNU")] = 'g';
  file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value()) << to_string(file.error());
  EXPECT_EQ(file->gnu_build_id_near_notes(), "");

  image = two_segments().build();
  file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value()) << to_string(file.error());
  EXPECT_EQ(file->gnu_build_id_near_notes(), "01ab") << "among the notes";
}

TEST(ElfFile, BytesOutsideTheFileAreUnmapped) {
  const std::string image = two_segments().build();
  const auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->read({0x500002}, 3).error().code, ErrorCode::unmapped);  // runs into .bss
  EXPECT_EQ(file->read({0x500010}, 1).error().code, ErrorCode::unmapped);  // .bss
  EXPECT_NE(file->find_load({0x500010}), nullptr);
  EXPECT_EQ(file->find_load({0x500064}), nullptr);
  EXPECT_EQ(file->read({0x100}, 1).error().code, ErrorCode::unmapped);
  EXPECT_EQ(file->read({0x401000}, ~std::uint64_t{0}).error().code, ErrorCode::unmapped);
}

TEST(ElfFile, WithoutSectionHeadersAllElseIsThere) {
  ElfBuilder elf = two_segments();
  elf.section_headers = false;
  const std::string image = elf.build();
  const auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->sections().empty());
  EXPECT_EQ(bytes::as_text(file->read({0x500000}, 4).value()), "data");
}

TEST(ElfFile, BrokenSectionHeadersAreNone) {
  std::string image = two_segments().build();
  image.resize(image.size() - 30);
  const auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->sections().empty());
}

TEST(ElfFile, RefusesWhatItCannotRead) {
  const std::string good = two_segments().build();
  const auto code_with = [&](std::size_t at, char value) {
    std::string image = good;
    image[at] = value;
    const auto file = File::parse(bytes::as_bytes(image));
    return file ? std::optional<ErrorCode>() : file.error().code;
  };
  EXPECT_EQ(code_with(0, 'X'), ErrorCode::invalid);
  EXPECT_EQ(code_with(4, 1), ErrorCode::unsupported);    // 32 bit
  EXPECT_EQ(code_with(5, 2), ErrorCode::unsupported);    // big endian
  EXPECT_EQ(code_with(16, 1), ErrorCode::unsupported);   // relocatable object
  EXPECT_EQ(code_with(18, 8), ErrorCode::unsupported);   // MIPS
  EXPECT_EQ(code_with(57, 0x70), ErrorCode::truncated);  // 28,675 program headers
  EXPECT_EQ(code_with(54, 55), ErrorCode::invalid);      // program header size
  EXPECT_EQ(code_with(18, '\xb7'), std::nullopt);        // arm64
  EXPECT_EQ(File::parse(bytes::as_bytes(good.substr(0, 40))).error().code, ErrorCode::truncated);
  EXPECT_EQ(File::parse({}).error().code, ErrorCode::invalid);
}

TEST(ElfFile, TheTouchedPagesAreEnoughForTheSameAnswers) {
  ElfBuilder elf = two_segments();
  elf.add({.flags = 4, .address = 0x600000, .content = std::string(409600, 'x')});
  const std::string image = elf.build();
  bytes::PageSet touched(image.size());
  const auto file = File::parse(bytes::as_bytes(image), &touched);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->sections().size(), 4u);
  EXPECT_EQ(file->go_build_id(), "go/build/id");
  EXPECT_LE(touched.count(), 3u);
  std::string sparse(image.size(), '\0');
  for (const std::uint64_t page : touched.indices()) {
    const std::size_t size = std::min<std::size_t>(4096, image.size() - page * 4096);
    sparse.replace(page * 4096, size, image, page * 4096, size);
  }
  const auto again = File::parse(bytes::as_bytes(sparse));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->sections().size(), 4u);
  EXPECT_EQ(again->go_build_id(), "go/build/id");
}

TEST(ElfRelocations, AreFoundThroughTheDynamicSegment) {
  std::string rela, dynamic;
  for (const auto& [where, info, addend] : {std::array<std::uint64_t, 3>{0x500008, 8, 0x401234},
                                            {0x500010, 6, 0},
                                            {0x500000, 8, 0x42}}) {
    put(rela, where);
    put(rela, info);
    put(rela, addend);
  }
  for (const std::uint64_t word : {std::uint64_t{7}, std::uint64_t{0x700000}, std::uint64_t{8},
                                   std::uint64_t{72}, std::uint64_t{0}, std::uint64_t{0}}) {
    put(dynamic, word);
  }
  ElfBuilder elf;
  elf.type = 3;
  elf.add({.address = 0x700000, .content = rela});
  elf.add({.type = 2, .address = 0x800000, .content = dynamic});
  const std::string image = elf.build();
  const auto file = File::parse(bytes::as_bytes(image));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->is_pie());
  const auto relocations = find_relative_relocations(*file);
  ASSERT_EQ(relocations.size(), 2u);
  EXPECT_EQ(relocations[0].where.value, 0x500000u);
  EXPECT_EQ(relocations[1].target.value, 0x401234u);
}

}  // namespace
}  // namespace weir::elf
