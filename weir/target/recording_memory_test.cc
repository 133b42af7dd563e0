#include "weir/target/recording_memory.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "weir/target/recording.h"

namespace weir::target {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// What a reader of the file has.
SparseMemory unpack(RecordingMemory& recorder) {
  Recording recording;
  recording.packed = recorder.take_packed().value();
  recording.memory = recorder.take_latest();
  const std::string file = render_recording(recording).value();
  return parse_recording(bytes::as_bytes(file)).value().memory;
}

/// All bytes in [at, at + size), '.' where there are none.
std::string show(Memory& memory, std::uint64_t at, std::size_t size) {
  std::string out(size, '.');
  for (std::size_t i = 0; i < size; ++i) {
    char byte = 0;
    if (memory.read_some(Address{at + i}, std::as_writable_bytes(std::span(&byte, 1))))
      out[i] = byte;
  }
  return out;
}

std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& one : text) one = static_cast<char>('a' + random() % 26);
  return text;
}

std::string read_text(Memory& memory, std::uint64_t at, std::size_t size) {
  std::string text(size, '\0');
  EXPECT_TRUE(memory.read(Address{at}, std::as_writable_bytes(std::span(text))).has_value());
  return text;
}

class RecordingMemoryTest : public testing::TestWithParam<Packing> {};

TEST_P(RecordingMemoryTest, GivesTheSameBytesAgain) {
  SparseMemory inner;
  inner.insert(Address{100}, bytes_of("0123456789"));
  RecordingMemory recorder(inner, GetParam());
  EXPECT_EQ(recorder.read<char>(Address{103}).value(), '3');
  std::string a(4, '?');
  std::string b(4, '?');
  std::vector<ReadRequest> requests = {{Address{108}, std::as_writable_bytes(std::span(a)), 0},
                                       {Address{500}, std::as_writable_bytes(std::span(b)), 0}};
  ASSERT_TRUE(recorder.read_many(requests).has_value());
  EXPECT_EQ(requests[0].got, 2U);
  EXPECT_EQ(requests[1].got, 0U);
  SparseMemory taken = unpack(recorder);
  EXPECT_EQ(show(taken, 98, 14), ".....3....89..");
  EXPECT_TRUE(unpack(recorder).empty());
}

TEST_P(RecordingMemoryTest, KeepsTheLaterValueOfWhatWasReadTwice) {
  SparseMemory inner;
  inner.insert(Address{100}, bytes_of("a"));
  RecordingMemory recorder(inner, GetParam());
  ASSERT_TRUE(recorder.read<char>(Address{100}).has_value());
  inner.insert(Address{100}, bytes_of("b"));
  ASSERT_TRUE(recorder.read<char>(Address{100}).has_value());
  SparseMemory taken = unpack(recorder);
  EXPECT_EQ(show(taken, 100, 1), "b");
}

TEST_P(RecordingMemoryTest, KeepsTheLaterValueOfSmallAndLargePieces) {
  constexpr std::size_t size = 3 << 20;
  std::string expected = random_text(size, 1);
  SparseMemory inner;
  const auto change = [&](std::size_t at, std::string_view text) {
    expected.replace(at, text.size(), text);
    inner.insert(Address{at}, bytes_of(text));
  };
  change(0, expected);
  RecordingMemory recorder(inner, GetParam());
  read_text(recorder, 10, 5);  // stale once all is read
  change(0, random_text(size, 2));
  read_text(recorder, 0, size);
  change(100, "small, after large");
  read_text(recorder, 90, 40);
  SparseMemory taken = unpack(recorder);
  EXPECT_TRUE(read_text(taken, 0, size) == expected);
}

TEST_P(RecordingMemoryTest, KeepsTheLaterValueOfMoreThanItPutsDown) {
  constexpr std::size_t size = 100 << 20, step = 64 << 10;
  SparseMemory inner;
  inner.insert(Address{0}, bytes_of(std::string(size, 'x')));
  RecordingMemory recorder(inner, GetParam());
  for (std::size_t at = 0; at < size; at += step) read_text(recorder, at, step);
  inner.insert(Address{10}, bytes_of("yyy"));
  read_text(recorder, 8, 4);
  SparseMemory taken = unpack(recorder);
  EXPECT_EQ(taken.size(), size);
  EXPECT_EQ(show(taken, 7, 8), "xxxyyxxx");  // the third y was not read
}

INSTANTIATE_TEST_SUITE_P(Packing, RecordingMemoryTest,
                         testing::Values(Packing::as_read, Packing::none));

TEST(RecordingMemory, PacksAsItReads) {
  constexpr std::size_t size = 40 << 20;
  SparseMemory inner;
  inner.insert(Address{0}, bytes_of(std::string(size, 'x')));
  RecordingMemory recorder(inner, Packing::as_read);
  for (std::size_t at = 0; at < size; at += 4096) read_text(recorder, at, 4096);
  const PackedMemory packed = recorder.take_packed().value();
  ASSERT_FALSE(packed.sections.empty());
  for (const std::string& section : packed.sections) EXPECT_LT(section.capacity(), 64U << 10);
  EXPECT_LT(recorder.take_latest().size(), size / 2);
}

TEST(RecordingMemory, ReadingFailsWhenItKeepsTooMuch) {
  SparseMemory inner;
  inner.insert(Address{0}, bytes_of(random_text(8 << 20, 1)));
  RecordingMemory recorder(inner, Packing::as_read, 3 << 20);
  std::string into(2 << 20, ' ');
  const auto read = [&](std::uint64_t at) {
    return recorder.read(Address{at}, std::as_writable_bytes(std::span(into)));
  };
  EXPECT_TRUE(read(0).has_value());
  EXPECT_TRUE(read(2 << 20).has_value());
  const auto too_much = read(4 << 20);
  ASSERT_FALSE(too_much.has_value());
  EXPECT_EQ(too_much.error().code, ErrorCode::limit);
  EXPECT_EQ(recorder.take_packed().error().code, ErrorCode::limit);
}

/// Never changes, and any number of threads may read it.
class Pattern final : public Memory {
 public:
  explicit Pattern(Consistency consistency) : consistency_(consistency) {}
  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = value(at.value + i);
    return into.size();
  }
  std::vector<Region> regions() override { return {}; }
  Consistency consistency() const override { return consistency_; }
  bool is_concurrent() const override { return true; }
  static std::byte value(std::uint64_t at) { return static_cast<std::byte>(at * at >> 7); }

 private:
  Consistency consistency_;
};

TEST(RecordingMemory, ManyThreadsMayReadWhatStandsStill) {
  Pattern racing(Consistency::racing);
  EXPECT_FALSE(RecordingMemory(racing, Packing::as_read).is_concurrent());
  Pattern inner(Consistency::frozen);
  RecordingMemory recorder(inner, Packing::as_read);
  ASSERT_TRUE(recorder.is_concurrent());
  constexpr std::size_t part = 5 << 20;
  constexpr std::size_t steps[] = {1 << 20, 5 << 20, 64 << 10, 512 << 10};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::size(steps); ++i)
      threads.emplace_back([&, i] {
        for (std::size_t at = 0; at < part; at += steps[i])
          read_text(recorder, i * part + at, std::min(steps[i], part - at));
      });
  }
  SparseMemory taken = unpack(recorder);
  ASSERT_EQ(taken.size(), std::size(steps) * part);
  std::size_t wrong = 0;
  for (const SparseMemory::Segment& segment : taken.segments())
    for (std::size_t i = 0; i < segment.bytes.size(); ++i)
      wrong += segment.bytes[i] != Pattern::value(segment.start.value + i);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace weir::target
