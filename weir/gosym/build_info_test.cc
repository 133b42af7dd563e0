#include "weir/gosym/build_info.h"

#include <gtest/gtest.h>

#include "tests/support/elf_builder.h"

namespace weir::gosym {
namespace {

using test_support::ElfBuilder;

std::string blob(std::string_view version, std::string_view module_text, char flags = 2) {
  std::string out("\xff Go buildinf:", 14);
  out += '\x08';
  out += flags;
  out.resize(32);
  out += static_cast<char>(version.size());
  out += version;
  out += static_cast<char>(module_text.size());
  out += module_text;
  return out;
}

std::string framed(std::string_view text) {
  return std::string(16, 'S') + std::string(text) + std::string(16, 'E');
}

Result<BuildInfo> find_in(std::string content, std::string section,
                          std::uint64_t address = 0x500000) {
  ElfBuilder elf;
  elf.add({.address = address, .content = std::move(content), .section = std::move(section)});
  const std::string image = elf.build();
  const auto file = elf::File::parse(bytes::as_bytes(image));
  EXPECT_TRUE(file.has_value());
  return find_build_info(*file);
}

// go1.25 writes a space before the experiments, go1.26.8 a hyphen.
TEST(BuildInfo, ReadsVersionExperimentsAndModules) {
  for (const std::string between : {" ", "-"}) {
    const auto info =
        find_in(blob("go1.26.8" + between + "X:nodwarf5,arenas", ""), ".go.buildinfo");
    ASSERT_TRUE(info.has_value()) << to_string(info.error());
    EXPECT_EQ(info->go_version, "go1.26.8");
    EXPECT_EQ(info->experiments, "nodwarf5,arenas");
  }
  const auto info = find_in(blob("go1.26.8", framed("path\tx\nmod\tx\n")), ".go.buildinfo");
  ASSERT_TRUE(info.has_value()) << to_string(info.error());
  EXPECT_EQ(info->experiments, "");
  EXPECT_EQ(info->module_text, "path\tx\nmod\tx\n");
  EXPECT_EQ(info->version, (GoVersion{26, 8}));
}

TEST(BuildInfo, IsFoundWithoutItsSectionAtAlignedAddressesOnly) {
  // The decoy is a complete one, at an odd address.
  const std::string content =
      "x" + blob("go1.20", "") + std::string(13, '\0') + blob("go1.21.3", "");
  const std::uint64_t misaligned = 0x500000 + 16 - (1 + blob("go1.20", "").size() + 13) % 16;
  const auto info = find_in(content, ".data", misaligned);
  ASSERT_TRUE(info.has_value()) << to_string(info.error());
  EXPECT_EQ(info->go_version, "go1.21.3");
  EXPECT_EQ(info->module_text, "");
}

TEST(BuildInfo, SaysWhatIsWrong) {
  EXPECT_EQ(find_in("nothing here", ".data").error().code, ErrorCode::not_found);
  EXPECT_EQ(find_in(blob("go1.17", "", 0), ".data").error().code, ErrorCode::unsupported);
  EXPECT_EQ(find_in(blob("", ""), ".data").error().code, ErrorCode::not_found);
  const std::string whole = blob("go1.22.1", framed("path\tx\n"));
  for (std::size_t size = 14; size < whole.size(); ++size) {
    const auto info = find_in(whole.substr(0, size), ".go.buildinfo");
    ASSERT_FALSE(info.has_value()) << size;
    EXPECT_EQ(info.error().code, ErrorCode::truncated) << size;
  }
}

TEST(BuildInfo, VersionNumbers) {
  EXPECT_EQ(parse_go_version("go1.19"), (GoVersion{19, 0}));
  EXPECT_EQ(parse_go_version("go1.27.4"), (GoVersion{27, 4}));
  EXPECT_EQ(parse_go_version("go1.27rc1"), (GoVersion{27, 0}));
  EXPECT_EQ(parse_go_version("devel go1.28-1a2b Mon"), (GoVersion{28, 0}));
  EXPECT_EQ(parse_go_version("devel +abc"), (GoVersion{0, 0}));
  EXPECT_EQ(parse_go_version("go1.99999999999"), (GoVersion{0, 0}));
  EXPECT_EQ(parse_go_version("go1.-4"), (GoVersion{0, 0}));
}

}  // namespace
}  // namespace weir::gosym
