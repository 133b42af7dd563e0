#include "weir/gortime/atomic_sites.h"

#include <gtest/gtest.h>

namespace weir::gortime {
namespace {

template <std::size_t n>
std::vector<AtomicSite> sites_of(const unsigned char (&code)[n],
                                 elf::Machine machine = elf::Machine::amd64) {
  return find_atomic_sites(std::as_bytes(std::span(code)), LinkAddr{0x1000}, machine);
}

TEST(AtomicSites, FindsLockedAndExchange) {
  const unsigned char code[] = {
      0x90,                                      // nop
      0xf0, 0x0f, 0xb1, 0x0b,                    // lock cmpxchg [rbx], ecx
      0x87, 0x0c, 0x24,                          // xchg [rsp], ecx
      0x48, 0x87, 0xc8,                          // xchg rax, rcx: no memory
      0xf0, 0x41, 0x0f, 0xc1, 0x44, 0x88, 0x08,  // lock xadd [r8 + rcx*4 + 8], eax
      0xf0, 0xff, 0x05, 0x10, 0x00, 0x00, 0x00,  // lock inc [rip + 0x10]
  };
  const auto sites = sites_of(code);
  ASSERT_EQ(sites.size(), 4U);
  EXPECT_EQ(sites[0].at, LinkAddr{0x1001});
  EXPECT_EQ(sites[0].size, 4U);
  std::array<std::uint64_t, 31> general{};
  general[2] = 3;       // rcx
  general[3] = 0xc000;  // rbx
  general[7] = 0x7f00;  // rsp
  general[8] = 0x100;   // r8
  EXPECT_EQ(sites[0].operand(general, {}), Address{0xc000});
  EXPECT_EQ(sites[1].operand(general, {}), Address{0x7f00});
  EXPECT_EQ(sites[2].operand(general, {}), Address{0x100 + 12 + 8});
  EXPECT_EQ(sites[3].operand(general, LoadBias{0x10000}), Address{0x11000 + sizeof code + 0x10});
}

TEST(AtomicSites, KnowsOneMachine) {
  const unsigned char code[] = {0xf0, 0x0f, 0xb1, 0x0b};
  EXPECT_TRUE(sites_of(code, elf::Machine::arm64).empty());
}

TEST(AtomicSites, FindsCallsThatNameTheirTarget) {
  const unsigned char code[] = {
      0x90,                          // nop
      0xe8, 0xfa, 0x0f, 0x00, 0x00,  // call 0x2000
      0xff, 0xd0,                    // call rax
      0xe9, 0x00, 0x00, 0x00, 0x00,  // jmp
  };
  const auto calls =
      find_calls(std::as_bytes(std::span(code)), LinkAddr{0x1000}, elf::Machine::amd64);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].at, LinkAddr{0x1001});
  EXPECT_EQ(calls[0].target, LinkAddr{0x2000});
}

TEST(AtomicSites, StopsAtWhatIsNoInstruction) {
  const unsigned char code[] = {0xf0, 0x0f, 0xb1, 0x0b, 0x06, 0xf0, 0x0f, 0xb1, 0x0b};
  EXPECT_EQ(sites_of(code).size(), 1U);
}

}  // namespace
}  // namespace weir::gortime
