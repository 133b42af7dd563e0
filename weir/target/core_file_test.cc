#include "weir/target/core_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/core_builder.h"
#include "weir/target/core_memory.h"

namespace weir::target {
namespace {

using test_support::CoreBuilder;
using test_support::ElfBuilder;

std::vector<std::uint64_t> counting(std::size_t count, std::uint64_t from = 100) {
  std::vector<std::uint64_t> words(count);
  std::iota(words.begin(), words.end(), from);
  return words;
}

CoreBuilder one_thread() {
  return CoreBuilder().thread(7, counting(27));
}

Result<CoreFile> parse(const std::string& bytes) {
  return CoreFile::parse(bytes::as_bytes(bytes));
}

/// What `memory` has from `at` on, up to `size` bytes.
std::string read(Memory& memory, std::uint64_t at, std::size_t size) {
  std::string out(size, '\0');
  const auto n = memory.read_some(Address{at}, std::as_writable_bytes(std::span(out)));
  out.resize(n.value_or(0));
  return out;
}

TEST(CoreFile, RegistersOfAmd64) {
  const std::string bytes =
      CoreBuilder().thread(41, counting(27)).thread(42, counting(27, 1000)).build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  ASSERT_EQ(core->threads().size(), 2u);
  EXPECT_EQ(core->threads()[0].tid, 41);
  EXPECT_EQ(core->threads()[1].tid, 42);
  const Registers& registers = core->threads()[0].registers;
  EXPECT_EQ(registers.pc.value, 116u);  // rip is the 17th word of user_regs_struct
  EXPECT_EQ(registers.sp.value, 119u);
  EXPECT_EQ(registers.frame.value, 104u);
  EXPECT_EQ(registers.tls.value, 121u);
  EXPECT_EQ(registers.syscall, 115);
  EXPECT_EQ(registers.general[0], 110u) << "rax";
  EXPECT_EQ(registers.general[15], 100u) << "r15";
}

TEST(CoreFile, VectorRegistersAreThoseOfTheThreadBefore) {
  const std::string words = std::string(8, 'a') + std::string(8, 'b');
  const std::string bytes = CoreBuilder()
                                .note("LINUX", NT_X86_XSTATE, "of nobody")
                                .thread(41, counting(27))
                                .thread(42, counting(27))
                                .note("LINUX", NT_X86_XSTATE, words)
                                .thread(43, counting(27))
                                .note("LINUX", NT_X86_XSTATE, std::string(100'000, 'x'))
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  ASSERT_EQ(core->threads().size(), 3u);
  EXPECT_TRUE(core->threads()[0].vectors.empty());
  EXPECT_EQ(core->threads()[1].vectors,
            (std::vector<std::uint64_t>{0x6161616161616161, 0x6262626262626262}));
  EXPECT_TRUE(core->threads()[2].vectors.empty()) << "more than any processor has";
}

TEST(CoreFile, RegistersOfArm64) {
  const std::string bytes = CoreBuilder(183).thread(41, counting(34)).build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  const Registers& registers = core->threads()[0].registers;
  EXPECT_EQ(registers.arch, Arch::arm64);
  EXPECT_EQ(registers.sp.value, 131u);
  EXPECT_EQ(registers.pc.value, 132u);
  EXPECT_EQ(registers.frame.value, 129u);
  EXPECT_EQ(registers.link.value, 130u);
}

TEST(CoreFile, TheProcessAndItsExecutable) {
  const std::string bytes = one_thread()
                                .process(4711, "server", "./server -v 2 ")
                                .auxv({{AT_PHDR, 0x400040}, {AT_ENTRY, 0x401234}})
                                .files({{0x600000, 0x601000, 0, "/usr/lib/libc.so"},
                                        {0x400000, 0x402000, 0, "/srv/server (deleted)"}})
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  EXPECT_EQ(core->process().pid, 4711);
  EXPECT_EQ(core->process().name, "server");
  EXPECT_EQ(core->process().command_line, std::vector<std::string>{"./server -v 2"});
  EXPECT_EQ(core->process().exe_path, "/srv/server");
  EXPECT_TRUE(core->process().exe_deleted);
  EXPECT_EQ(find_auxv(core->auxv(), AT_ENTRY), 0x401234u);
  ASSERT_EQ(core->file_mappings().size(), 2u);
  EXPECT_EQ(core->file_mappings()[0].start.value, 0x400000u) << "ascending";
}

TEST(CoreFile, BuildIdFromTheFirstPageInMemory) {
  std::string id_note;
  for (const std::uint32_t word : {4U, 4U, 3U}) test_support::put(id_note, word);
  id_note += std::string_view("GNU\0\xde\xad\xbe\xef", 8);
  ElfBuilder executable;
  executable.section_headers = false;
  executable.add({4, 4, 0x400000, id_note, 0, {}});
  const std::string bytes = one_thread()
                                .auxv({{AT_PHDR, 0x400040}, {AT_ENTRY, 0x401000}})
                                .memory(0x400000, executable.build(), 0x1000, 4)
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  EXPECT_EQ(core->build_id(), "deadbeef");
  EXPECT_EQ(core->gnu_build_id(), "deadbeef");
}

TEST(CoreFile, NotACoreIsRefused) {
  const auto executable = parse(ElfBuilder().build());
  ASSERT_FALSE(executable.has_value());
  EXPECT_EQ(executable.error().code, ErrorCode::invalid);
  const auto no_thread = parse(CoreBuilder().process(1, "a", "a").build());
  ASSERT_FALSE(no_thread.has_value());
  EXPECT_NE(to_string(no_thread.error()).find("no thread"), std::string::npos);
  EXPECT_FALSE(parse("\177ELF").has_value());
}

TEST(CoreFile, ACutCoreSaysSo) {
  std::string bytes = one_thread().memory(0x1000, std::string(4096, 'x')).build();
  bytes.resize(bytes.size() - 1);
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  ASSERT_EQ(core->notes().all().size(), 1u);
  EXPECT_EQ(core->notes().all()[0].severity, Severity::loss);
  CoreMemory memory(*core);
  EXPECT_EQ(read(memory, 0x1000, 5000).size(), 4095u);
}

TEST(CoreFile, ACoreCutBeforeItsNotesSaysSo) {
  const std::string bytes =
      one_thread().notes_last().memory(0x1000, std::string(4096, 'x')).build();
  ASSERT_TRUE(parse(bytes).has_value());
  for (const std::size_t size : {bytes.find('x') + 4096, bytes.find('x') + 100}) {
    const auto core = parse(bytes.substr(0, size));
    ASSERT_FALSE(core.has_value());
    EXPECT_EQ(core.error().code, ErrorCode::truncated);
    const std::string text = to_string(core.error());
    EXPECT_NE(text.find("the core file ends early"), std::string::npos) << text;
    EXPECT_NE(text.find("NT_PRSTATUS"), std::string::npos) << text;
    EXPECT_EQ(text.find("damaged"), std::string::npos) << text;
  }
}

TEST(CoreFile, HostileListsAreNotBelieved) {
  std::string endless;
  test_support::put(endless, ~std::uint64_t{0} / 25);
  test_support::put(endless, std::uint64_t{4096});
  const auto core =
      parse(one_thread().note("CORE", 0x46494c45, endless).note("CORE", 1, "x").build());
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  EXPECT_TRUE(core->file_mappings().empty());
  EXPECT_EQ(core->threads().size(), 1u);
  EXPECT_EQ(core->notes().all().size(), 2u);
}

TEST(CoreMemory, TheLaterSegmentWins) {
  const std::string bytes = one_thread()
                                .memory(0x1000, std::string(16, 'a'))
                                .memory(0x1004, std::string(4, 'b'))
                                .memory(0x1006, std::string(4, 'c'))
                                .memory(0x0ffe, std::string(4, 'd'))
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  EXPECT_EQ(read(memory, 0x0ffe, 100), "ddddaabbccccaaaaaa");
  EXPECT_EQ(read(memory, 0x1005, 3), "bcc");
  EXPECT_EQ(read(memory, 0x1010, 1), "");
  ASSERT_EQ(memory.coverage().size(), 1u);
  EXPECT_EQ(memory.coverage()[0].end.value, 0x1010u);
}

TEST(CoreMemory, SegmentsWithoutBytesHideNothing) {
  const std::string bytes = one_thread().memory(0x1000, "data").memory(0x1000, "", 0x1000).build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  EXPECT_EQ(read(memory, 0x1000, 100), "data");
  EXPECT_EQ(memory.missing().pages, 0u);
  EXPECT_EQ(read(memory, 0x1800, 1), "");
  EXPECT_EQ(memory.missing().pages, 1u) << "a writable page that was asked for";
}

TEST(CoreMemory, TheExecutableGivesWhatTheWriterLeftOut) {
  ElfBuilder builder;
  builder.add({1, 5, 0x1000, "text", 0x1000, {}});
  builder.add({1, 6, 0x2000, "untouched data", 0x1000, {}});
  builder.add({1, 6, 0x3000, "data as linked", 0x1000, {}});
  builder.add({1, 6, 0x4000, "never mapped", 0x1000, {}});
  const std::string program = builder.build();
  const auto executable = elf::File::parse(bytes::as_bytes(program));
  ASSERT_TRUE(executable.has_value());
  const std::string bytes = one_thread()
                                .memory(0x11000, "", 0x1000, 5)
                                .memory(0x12000, "", 0x1000)
                                .memory(0x13000, "data", 0x1000)
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  memory.lay_under(*executable, LoadBias{0x10000});
  EXPECT_EQ(read(memory, 0x11000, 100), "text");
  EXPECT_EQ(read(memory, 0x12000, 100), "untouched data");
  EXPECT_EQ(read(memory, 0x13000, 100), "data") << "the rest may have been written to";
  EXPECT_EQ(read(memory, 0x14000, 100), "");
  EXPECT_TRUE(memory.lacks_variables());
}

TEST(CoreMemory, TextThatWasLeftOutIsNoVariable) {
  ElfBuilder builder;
  builder.add({1, 5, 0x1000, "text", 0x1000, {}});
  builder.add({1, 6, 0x2000, "data as linked", 0x1000, {}});
  const std::string program = builder.build();
  const auto executable = elf::File::parse(bytes::as_bytes(program));
  ASSERT_TRUE(executable.has_value());
  const std::string bytes =
      one_thread().memory(0x1000, "", 0x1000, 5).memory(0x2000, "data", 0x1000).build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  memory.lay_under(*executable, LoadBias{});
  EXPECT_FALSE(memory.lacks_variables());
}

TEST(CoreMemory, NamesTheKernelsOwnMappings) {
  const std::string bytes = one_thread()
                                .auxv({{AT_SYSINFO_EHDR, 0x7000}})
                                .memory(0x6000, "heap", 0x1000)
                                .memory(0x7000, "vdso", 0x1000, 5)
                                .memory(0xffffffffff600000, "page", 0x1000, 1)
                                .build();
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  const auto regions = memory.regions();
  ASSERT_EQ(regions.size(), 3u);
  EXPECT_EQ(regions[0].path, "");
  EXPECT_EQ(regions[1].path, "[vdso]");
  EXPECT_EQ(regions[2].path, "[vsyscall]");
}

TEST(CoreMemory, ACutSegmentIsNotOneThatWasLeftOut) {
  ElfBuilder builder;
  builder.add({1, 6, 0x2000, "as linked", 0x1000, {}});
  const std::string program = builder.build();
  const auto executable = elf::File::parse(bytes::as_bytes(program));
  ASSERT_TRUE(executable.has_value());
  std::string bytes = one_thread().memory(0x2000, "changed").build();
  bytes.resize(bytes.size() - 7);
  const auto core = parse(bytes);
  ASSERT_TRUE(core.has_value()) << to_string(core.error());
  CoreMemory memory(*core);
  memory.lay_under(*executable, LoadBias{});
  EXPECT_EQ(read(memory, 0x2000, 100), "");
}

}  // namespace
}  // namespace weir::target
