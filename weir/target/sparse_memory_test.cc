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

TEST(RecordingMemory, GivesTheSameBytesAgain) {
  SparseMemory inner;
  inner.insert(Address{100}, bytes_of("0123456789"));
  RecordingMemory recording(inner);
  recording.reserve(64, 8);
  EXPECT_EQ(recording.read<char>(Address{103}).value(), '3');
  std::string a(4, '?');
  std::string b(4, '?');
  std::vector<ReadRequest> requests = {{Address{108}, std::as_writable_bytes(std::span(a)), 0},
                                       {Address{500}, std::as_writable_bytes(std::span(b)), 0}};
  ASSERT_TRUE(recording.read_many(requests).has_value());
  EXPECT_EQ(requests[0].got, 2U);
  EXPECT_EQ(requests[1].got, 0U);
  SparseMemory taken = recording.take_recorded();
  EXPECT_EQ(show(taken, 98, 14), ".....3....89..");
}

TEST(RecordingMemory, KeepsTheLaterValueOfWhatWasReadTwice) {
  SparseMemory inner;
  inner.insert(Address{100}, bytes_of("a"));
  RecordingMemory recording(inner);
  ASSERT_TRUE(recording.read<char>(Address{100}).has_value());
  inner.insert(Address{100}, bytes_of("b"));
  ASSERT_TRUE(recording.read<char>(Address{100}).has_value());
  SparseMemory taken = recording.take_recorded();
  EXPECT_EQ(show(taken, 100, 1), "b");
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
