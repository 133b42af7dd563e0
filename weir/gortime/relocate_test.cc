#include "weir/gortime/relocate.h"

#include <gmock/gmock.h>

namespace weir::gortime {
namespace {

using Code = std::vector<unsigned char>;

constexpr LinkAddr start{0x401000};
constexpr Address there{0x40500000};

std::vector<std::byte> bytes_of(const Code& code) {
  std::vector<std::byte> bytes;
  for (const unsigned char c : code) bytes.push_back(std::byte{c});
  return bytes;
}

/// A relative distance, as an instruction that ends at `after` has it.
Code with_distance(Code code, std::uint64_t target, std::uint64_t after) {
  const auto distance = static_cast<std::uint32_t>(target - after);
  for (unsigned shift = 0; shift < 32; shift += 8)
    code.push_back(static_cast<unsigned char>(distance >> shift));
  return code;
}

void append(Code& code, const Code& more) {
  code.insert(code.end(), more.begin(), more.end());
}

std::optional<Relocated> relocate_at(const Code& function, std::uint64_t offset,
                                     std::size_t least) {
  const auto bytes = bytes_of(function);
  return relocate(bytes, start, LinkAddr{start.value + offset}, least, there, LoadBias{});
}

const Code lock_cmpxchg{0xf0, 0x0f, 0xb1, 0x11};  // LOCK CMPXCHGL DX, (CX)
const Code sete{0x0f, 0x94, 0xc0};                // SETEQ AX
const Code ret{0xc3};

TEST(Relocate, MovesAsManyInstructionsAsAreNeeded) {
  Code function = lock_cmpxchg;
  append(function, sete);
  append(function, ret);
  const auto one = relocate_at(function, 0, 1);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->covered, 4);
  Code expected = lock_cmpxchg;
  append(expected, with_distance({0xe9}, start.value + 4, there.value + 9));
  EXPECT_EQ(one->code, bytes_of(expected));
  const auto two = relocate_at(function, 0, 5);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->covered, 7);
  expected = lock_cmpxchg;
  append(expected, sete);
  append(expected, with_distance({0xe9}, start.value + 7, there.value + 12));
  EXPECT_EQ(two->code, bytes_of(expected));
}

TEST(Relocate, KeepsTheTargetOfAShortBranch) {
  const Code function{0x49, 0x3b, 0x66, 0x10,  // CMPQ SP, 16(R14)
                      0x76, 0x02,              // JLS 8
                      0x90, 0x90, 0xc3};
  const auto moved = relocate_at(function, 0, 5);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->covered, 6);
  Code expected{0x49, 0x3b, 0x66, 0x10};
  append(expected, with_distance({0x0f, 0x86}, start.value + 8, there.value + 10));
  append(expected, with_distance({0xe9}, start.value + 6, there.value + 15));
  EXPECT_EQ(moved->code, bytes_of(expected));
}

TEST(Relocate, KeepsTheAddressOfData) {
  const std::uint64_t data = 0x600010;
  Code function = with_distance({0xf0, 0x48, 0xff, 0x05}, data, start.value + 8);  // LOCK INCQ
  append(function, ret);
  const auto moved = relocate_at(function, 0, 5);
  ASSERT_TRUE(moved);
  Code expected = with_distance({0xf0, 0x48, 0xff, 0x05}, data, there.value + 8);
  append(expected, with_distance({0xe9}, start.value + 8, there.value + 13));
  EXPECT_EQ(moved->code, bytes_of(expected));
}

// sync/atomic.StoreUintptr is four bytes long.
TEST(Relocate, TakesThePaddingBehindAReturn) {
  const Code store{0x48, 0x87, 0x18, 0xc3};  // XCHGQ BX, (AX); RET
  Code function = store;
  append(function, {0xcc, 0xcc});
  const auto moved = relocate_at(function, 0, 5);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->covered, 5);
  EXPECT_EQ(moved->code, bytes_of(store));
  function = store;
  EXPECT_FALSE(relocate_at(function, 0, 5));  // the next function begins there
  append(function, {0x90, 0x90});
  EXPECT_FALSE(relocate_at(function, 0, 5));
}

TEST(Relocate, LeavesWhatIsJumpedInto) {
  Code function = lock_cmpxchg;
  append(function, sete);
  append(function, {0xeb, 0xfb});  // JMP 4: to the SETEQ
  EXPECT_FALSE(relocate_at(function, 0, 5));
  EXPECT_TRUE(relocate_at(function, 0, 1));
  function[8] = 0xf7;  // JMP 0: to the start
  EXPECT_TRUE(relocate_at(function, 0, 5));
}

TEST(Relocate, TrustsNoJumpTable) {
  Code function = lock_cmpxchg;
  append(function, sete);
  append(function, {0xff, 0xe0});  // JMP AX
  EXPECT_FALSE(relocate_at(function, 0, 5));
}

// An unwinder that looks while the callee runs must see the function's own return address.
TEST(Relocate, CallsWithTheReturnAddressOfTheFunction) {
  const std::uint64_t callee = 0x409000;
  Code function = lock_cmpxchg;
  append(function, with_distance({0xe8}, callee, start.value + 9));
  append(function, ret);
  const LoadBias bias{0x5555'5000'0000};
  const auto bytes = bytes_of(function);
  const auto moved = relocate(bytes, start, start, 5, bias.to_run(LinkAddr{there.value}), bias);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->covered, 9);
  Code expected = lock_cmpxchg;
  append(expected, {0x48, 0x8d, 0x64, 0x24, 0xf8});                    // LEAQ -8(SP), SP
  append(expected, {0xc7, 0x04, 0x24, 0x09, 0x10, 0x40, 0x50});        // MOVL $0x50401009, (SP)
  append(expected, {0xc7, 0x44, 0x24, 0x04, 0x55, 0x55, 0x00, 0x00});  // MOVL $0x5555, 4(SP)
  append(expected, with_distance({0xe9}, callee, there.value + 29));
  append(expected, with_distance({0xe9}, start.value + 9, there.value + 34));
  EXPECT_EQ(moved->code, bytes_of(expected));
}

TEST(Relocate, LeavesIndirectCallsAndTheUnknown) {
  Code function = lock_cmpxchg;
  append(function, {0xff, 0xd0, 0x90});  // CALL AX
  EXPECT_FALSE(relocate_at(function, 0, 5));
  function = lock_cmpxchg;
  append(function, {0x06});  // no instruction in 64-bit mode
  EXPECT_FALSE(relocate_at(function, 0, 5));
  EXPECT_FALSE(relocate_at(lock_cmpxchg, 0, 5));  // the function ends
}

}  // namespace
}  // namespace weir::gortime
