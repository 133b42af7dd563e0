#include "weir/gortime/held_locks.h"

#include <gmock/gmock.h>

#include <map>

namespace weir::gortime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr LinkAddr start{0x1000}, take_a{0x5000}, take_b{0x5100}, give{0x6000}, die{0x7000};

/// Machine code, put together call by call.
class Code {
 public:
  std::uint64_t here() const { return start.value + bytes_.size(); }
  Code& call(LinkAddr function) { return relative({0xe8}, function.value); }
  Code& jump(std::uint64_t to) { return relative({0xe9}, to); }
  Code& jump_if_equal(std::uint64_t to) { return relative({0x0f, 0x84}, to); }
  Code& byte(std::uint8_t one) {
    bytes_.push_back(std::byte{one});
    return *this;
  }
  /// Fills in the target of a jump of five or six bytes that ends at `end`.
  void patch(std::uint64_t end, std::uint64_t to) {
    for (int i = 0; i < 4; ++i)
      bytes_[end - start.value - 4 + static_cast<std::uint64_t>(i)] =
          std::byte(static_cast<std::uint8_t>((to - end) >> (8 * i)));
  }
  bytes::Bytes bytes() const { return bytes_; }

 private:
  Code& relative(std::initializer_list<std::uint8_t> opcode, std::uint64_t to) {
    for (const std::uint8_t one : opcode) byte(one);
    for (int i = 0; i < 4; ++i) byte(0);
    patch(here(), to);
    return *this;
  }
  std::vector<std::byte> bytes_;
};

LockStep step(LinkAddr at, LinkAddr called) {
  if (called == take_a || called == take_b)
    return {LockCall{LockKind::mutex, true, at, called, {}, {}}, true};
  if (called == give) return {LockCall{LockKind::mutex, false, at, {}, {}, {}}, true};
  return {{}, called != die};
}

std::int32_t no_frame(LinkAddr) {
  return 0;
}

std::vector<std::uint64_t> held(const Code& code, std::uint64_t pc) {
  std::vector<std::uint64_t> found;
  for (const LockCall& call :
       follow_locks(code.bytes(), start, LinkAddr{pc}, elf::Machine::amd64, step, no_frame))
    found.push_back(call.fixed.value);
  return found;
}

TEST(HeldLocks, BetweenLockAndUnlock) {
  Code code;
  code.byte(0x90).call(take_a);
  const std::uint64_t inside = code.here();
  code.call(LinkAddr{0x9000}).call(give);
  const std::uint64_t after = code.here();
  code.byte(0x90).byte(0xc3);
  EXPECT_THAT(held(code, start.value), IsEmpty());
  EXPECT_THAT(held(code, start.value + 1), IsEmpty()) << "at the call of Lock itself";
  EXPECT_THAT(held(code, inside + 4), ElementsAre(take_a.value)) << "anywhere in the instruction";
  EXPECT_THAT(held(code, after), IsEmpty());
}

TEST(HeldLocks, WhatAnEarlyReturnGivesBackIsStillHeldElsewhere) {
  Code code;
  code.call(take_a).jump_if_equal(start.value);
  const std::uint64_t branch_end = code.here();
  code.call(give).byte(0xc3);
  const std::uint64_t work = code.here();
  code.patch(branch_end, work);
  code.call(take_b).call(give);
  const std::uint64_t one_left = code.here();
  code.call(give).byte(0xc3);
  EXPECT_THAT(held(code, work), ElementsAre(take_a.value));
  EXPECT_THAT(held(code, one_left), ElementsAre(take_a.value))
      << "the last one is given back first";
}

TEST(HeldLocks, WhereWaysMeetOnlyWhatBothHold) {
  Code code;
  code.jump_if_equal(start.value);
  const std::uint64_t branch_end = code.here();
  code.call(take_a);
  const std::uint64_t meet = code.here();
  code.patch(branch_end, meet);
  code.byte(0x90).byte(0xc3);
  EXPECT_THAT(held(code, meet), IsEmpty());
}

TEST(HeldLocks, APanicDoesNotGoOn) {
  Code code;
  code.call(take_a).jump_if_equal(start.value);
  const std::uint64_t branch_end = code.here();
  code.call(give).call(die);
  const std::uint64_t work = code.here();
  code.patch(branch_end, work);
  code.byte(0x90).byte(0xc3);
  EXPECT_THAT(held(code, work), ElementsAre(take_a.value));
}

TEST(HeldLocks, ALoopThatGivesBackHoldsNothingAtItsEnd) {
  Code code;
  const std::uint64_t again = code.here();
  code.call(take_a);
  const std::uint64_t inside = code.here();
  code.call(give);
  const std::uint64_t outside = code.here();
  code.byte(0x90).jump(again);
  EXPECT_THAT(held(code, inside), ElementsAre(take_a.value));
  EXPECT_THAT(held(code, outside), IsEmpty());
}

TEST(HeldLocks, AFastPathsPlaceMayBeAtItsTest) {
  // lock cmpxchg %edi,0x100(%rip); sete %dil; test %dil,%dil; je +0; nop
  Code code;
  for (const int one : {0xf0, 0x0f, 0xb1, 0x3d, 0x00, 0x01, 0x00, 0x00, 0x40, 0x0f, 0x94, 0xc7,
                        0x40, 0x84, 0xff, 0x74, 0x00, 0x90, 0xc3})
    code.byte(static_cast<std::uint8_t>(one));
  const auto at_test = [](LinkAddr at, LinkAddr) -> LockStep {
    if (at.value != start.value + 12) return {};
    return {LockCall{LockKind::mutex, true, at, {}, {}, {}}, true};
  };
  const auto found = follow_locks(code.bytes(), start, LinkAddr{start.value + 17},
                                  elf::Machine::amd64, at_test, no_frame);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].at, start);
  EXPECT_EQ(found[0].fixed.value, start.value + 8 + 0x100);
  EXPECT_THAT(follow_locks(code.bytes(), start, LinkAddr{start.value + 17}, elf::Machine::arm64,
                           at_test, no_frame),
              IsEmpty());
}

TEST(HeldLocks, ALocksAddressMayHaveBeenTakenBefore) {
  // lea 0x200(%rip),%rcx; xor %eax,%eax; lock cmpxchg %edi,8(%rcx); nop
  const std::initializer_list<int> taken{0x48, 0x8d, 0x0d, 0x00, 0x02, 0x00, 0x00, 0x31,
                                         0xc0, 0xf0, 0x0f, 0xb1, 0x79, 0x08, 0x90, 0xc3};
  const auto atomic = [](LinkAddr at, LinkAddr called) -> LockStep {
    if (called.value != 0) return {};
    return {LockCall{LockKind::mutex, true, at, {}, {}, {}}, true};
  };
  Code code;
  for (const int one : taken) code.byte(static_cast<std::uint8_t>(one));
  const auto found = follow_locks(code.bytes(), start, LinkAddr{start.value + 14},
                                  elf::Machine::amd64, atomic, no_frame);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].fixed.value, start.value + 7 + 0x200 + 8);
  Code changed;  // with xor %ecx,%ecx in between
  int i = 0;
  for (const int one : taken) changed.byte(static_cast<std::uint8_t>(++i == 9 ? 0xc9 : one));
  const auto unknown = follow_locks(changed.bytes(), start, LinkAddr{start.value + 14},
                                    elf::Machine::amd64, atomic, no_frame);
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_EQ(unknown[0].fixed.value, 0u);
}

/// The last instruction but one is in the middle of what is locked.
std::vector<LockCall> in_frame(const std::vector<int>& instructions) {
  Code code;
  for (const int one : instructions) code.byte(static_cast<std::uint8_t>(one));
  const std::uint64_t pc = code.here();
  code.byte(0x90).byte(0xc3);
  const auto atomic = [](LinkAddr at, LinkAddr called) -> LockStep {
    if (called.value != 0) return {};
    return {LockCall{LockKind::mutex, true, at, {}, {}, {}}, true};
  };
  // The stack pointer goes down by 8 with the first instruction, a push.
  const auto depth = [](LinkAddr at) { return at == start ? 0 : 8; };
  return follow_locks(code.bytes(), start, LinkAddr{pc}, elf::Machine::amd64, atomic, depth);
}

// push %rbp; mov %rax,0x10(%rsp); mov %rax,%rdx; xor %eax,%eax; lock cmpxchg %esi,0x18(%rdx)
const std::vector<int> locks_what_it_keeps{0x55, 0x48, 0x89, 0x44, 0x24, 0x10, 0x48, 0x89,
                                           0xc2, 0x31, 0xc0, 0xf0, 0x0f, 0xb1, 0x72, 0x18};

TEST(HeldLocks, AFrameMayKeepALocksAddress) {
  const auto found = in_frame(locks_what_it_keeps);
  ASSERT_EQ(found.size(), 1u);
  ASSERT_TRUE(found[0].kept);
  EXPECT_EQ(found[0].kept->slot, 8) << "from the return address";
  EXPECT_EQ(found[0].kept->plus, 0x18u);
  EXPECT_EQ(found[0].fixed.value, 0u);
}

TEST(HeldLocks, ASlotThatChangesKeepsNothing) {
  std::vector<int> later = locks_what_it_keeps;
  for (const int one : {0x48, 0x89, 0x5c, 0x24, 0x10}) later.push_back(one);  // mov %rbx,0x10(%rsp)
  ASSERT_EQ(in_frame(later).size(), 1u);
  EXPECT_FALSE(in_frame(later)[0].kept);
  std::vector<int> partly = locks_what_it_keeps;
  for (const int one : {0xc6, 0x44, 0x24, 0x12, 0x00}) partly.push_back(one);  // movb $0,0x12(%rsp)
  ASSERT_EQ(in_frame(partly).size(), 1u);
  EXPECT_FALSE(in_frame(partly)[0].kept);
}

}  // namespace
}  // namespace weir::gortime
