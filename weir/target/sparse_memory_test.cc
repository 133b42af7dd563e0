#include "weir/target/sparse_memory.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weir::target {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// All readable bytes in [at, at + size), '.' where there are none.
std::string show(Memory& memory, std::uint64_t at, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    std::byte byte{};
    const auto n = memory.read_some(Address{at + i}, {&byte, 1});
    out += n ? static_cast<char>(byte) : '.';
  }
  return out;
}

TEST(SparseMemory, LaterInsertWins) {
  SparseMemory memory;
  memory.insert(Address{10}, bytes_of("aaaa"));
  memory.insert(Address{16}, bytes_of("bbbb"));
  memory.insert(Address{12}, bytes_of("cccccc"));
  EXPECT_EQ(show(memory, 8, 14), "..aaccccccbb..");
  EXPECT_EQ(memory.size(), 10U);
  EXPECT_EQ(memory.coverage().size(), 1U);
}

TEST(SparseMemory, ReadsAcrossTouchingSegmentsAndStopsAtAGap) {
  SparseMemory memory;
  memory.insert(Address{20}, bytes_of("later"));
  memory.insert(Address{10}, bytes_of("first-half"));
  memory.insert(Address{100}, bytes_of("far"));
  std::string out(200, '?');
  const auto n = memory.read_some(Address{12}, std::as_writable_bytes(std::span(out)));
  ASSERT_TRUE(n.has_value());
  EXPECT_EQ(out.substr(0, *n), "rst-halflater");
  const auto none = memory.read_some(Address{25}, std::as_writable_bytes(std::span(out)));
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::unmapped);
}

TEST(SparseMemory, EndOfTheAddressSpace) {
  SparseMemory memory;
  memory.insert(Address{~std::uint64_t{0} - 2}, bytes_of("abcdef"));
  EXPECT_EQ(memory.size(), 2U);
  EXPECT_EQ(show(memory, ~std::uint64_t{0} - 2, 2), "ab");
  memory.insert(Address{0}, bytes_of("z"));
  EXPECT_EQ(show(memory, 0, 2), "z.");
  EXPECT_EQ(memory.coverage().size(), 2U);
}

TEST(SparseMemory, EqualsAPlainArray) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    SparseMemory memory;
    std::string model(300, '.');
    for (int i = 0; i < 40; ++i) {
      const std::size_t at = random() % 250;
      const std::string piece(1 + random() % 50, static_cast<char>('a' + i % 26));
      memory.insert(Address{1000 + at}, bytes_of(piece));
      model.replace(at, piece.size(), piece);
      ASSERT_EQ(show(memory, 1000, 300), model);
    }
    std::size_t held = 0;
    for (const char c : model) held += c != '.';
    EXPECT_EQ(memory.size(), held);
  }
}

TEST(SplicedMemory, FirstLayerWinsAtEachAddress) {
  SparseMemory top;
  top.insert(Address{14}, bytes_of("TT"));
  SparseMemory bottom;
  bottom.insert(Address{10}, bytes_of("bbbbbbbbbb"));
  SplicedMemory spliced({&top, &bottom});
  EXPECT_EQ(show(spliced, 9, 12), ".bbbbTTbbbb.");
  std::string whole(10, '?');
  ASSERT_TRUE(spliced.read(Address{10}, std::as_writable_bytes(std::span(whole))).has_value());
  EXPECT_EQ(whole, "bbbbTTbbbb");
  EXPECT_EQ(spliced.consistency(), Consistency::frozen);
}

TEST(SplicedMemory, UsesCoverageNotTheNamesOfMappings) {
  SparseMemory top;
  top.insert(Address{14}, bytes_of("TT"));
  Region wide;
  wide.start = {0};
  wide.end = {100};
  top.set_regions({wide});
  SparseMemory bottom;
  bottom.insert(Address{10}, bytes_of("bbbbbbbbbb"));
  SplicedMemory spliced({&top, &bottom});
  std::string whole(10, '?');
  ASSERT_TRUE(spliced.read(Address{10}, std::as_writable_bytes(std::span(whole))).has_value());
  EXPECT_EQ(whole, "bbbbTTbbbb");
}

}  // namespace
}  // namespace weir::target
