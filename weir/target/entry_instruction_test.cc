#include "weir/target/entry_instruction.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weir::target {
namespace {

constexpr std::uint64_t arithmetic = 0x8d5;  // OF SF ZF AF PF CF

/// The oracle: the processor's own flags.
std::uint64_t flags_of_processor(std::uint64_t a, std::uint64_t b) {
  std::uint64_t flags = 0;
  asm volatile("cmpq %2, %1\n\tpushfq\n\tpopq %0" : "=r"(flags) : "r"(a), "r"(b) : "cc", "memory");
  return flags & arithmetic;
}

template <class... Byte>
std::vector<std::byte> code(Byte... bytes) {
  return {std::byte(bytes)...};
}

TEST(EntryInstruction, CompareSetsTheFlagsTheProcessorSets) {
  const std::vector<std::uint64_t> values = {0,
                                             1,
                                             0x0f,
                                             0x10,
                                             0xff,
                                             0x100,
                                             0x7fffffffffffffff,
                                             0x8000000000000000,
                                             0xffffffffffffffff,
                                             0xc000012340,
                                             0xc0000123a8,
                                             0xfffffffffffffade};
  const auto entry = parse_entry_instruction(code(0x49, 0x3b, 0x66, 0x10));
  ASSERT_TRUE(entry);
  for (const std::uint64_t a : values) {
    for (const std::uint64_t b : values) {
      user_regs_struct registers{};
      registers.rsp = a;
      registers.rip = 0x1000;
      registers.eflags = 0x246;
      apply(*entry, b, registers);
      EXPECT_EQ(registers.eflags & arithmetic, flags_of_processor(a, b)) << a << " - " << b;
      EXPECT_EQ(registers.eflags & ~arithmetic, 0x246 & ~arithmetic);
      EXPECT_EQ(registers.rip, 0x1004u);
    }
  }
}

TEST(EntryInstruction, LargeFramesLoadR12) {
  user_regs_struct registers{};
  registers.rsp = 0x8000;
  apply(*parse_entry_instruction(code(0x4c, 0x8d, 0x64, 0x24, 0xf8)), 0, registers);
  EXPECT_EQ(registers.r12, 0x7ff8u);
  EXPECT_EQ(registers.rip, 5u);
  apply(*parse_entry_instruction(code(0x4c, 0x8d, 0xa4, 0x24, 0, 0xff, 0xff, 0xff)), 0, registers);
  EXPECT_EQ(registers.r12, 0x7f00u);
  EXPECT_EQ(registers.rip, 13u);
}

TEST(EntryInstruction, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(parse_entry_instruction(code(0x48, 0x83, 0xec, 0x28)));
  EXPECT_FALSE(parse_entry_instruction(code(0x4c, 0x8d, 0xa4, 0x24, 0)));  // cut short
  EXPECT_FALSE(parse_entry_instruction({}));
}

}  // namespace
}  // namespace weir::target
