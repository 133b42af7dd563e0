#include "weir/gotrace/event_blocks.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <stdexcept>

namespace weir::gotrace {
namespace {

struct Times : EventSink {
  void take(std::span<const Event> events) override {
    // A sum instead of an assertion for each: there are a million.
    for (const Event& event : events) in_order += event.time == next++ ? 1 : 0;
    threads.insert(std::this_thread::get_id());
  }
  std::int64_t next = 0, in_order = 0;
  std::set<std::thread::id> threads;
};

std::int64_t write(EventBlocks& blocks, std::int64_t from, std::int64_t count) {
  for (std::int64_t i = from; i < from + count; ++i) blocks.add().time = i;
  blocks.flush();
  return from + count;
}

class EventBlocksTest : public testing::TestWithParam<bool> {};

TEST_P(EventBlocksTest, HandsOnEveryEventInOrder) {
  Times times;
  EventBlocks blocks(times, GetParam());
  std::int64_t at = 0;
  for (const std::int64_t count :
       {0, 1, 255, 256, 257, 4095, 4096, 4097, 100'000, 0, 3, 1'000'000}) {
    at = write(blocks, at, count);
    EXPECT_EQ(times.next, at) << "after flush, of " << count;
  }
  EXPECT_EQ(times.in_order, at);
  EXPECT_EQ(times.threads.contains(std::this_thread::get_id()), true)
      << "small ones need no thread";
  EXPECT_EQ(times.threads.size(), GetParam() ? 2u : 1u);
}

struct Thrower : EventSink {
  void take(std::span<const Event>) override {
    ++calls;
    throw std::runtime_error("full");
  }
  std::atomic<int> calls = 0;
};

TEST_P(EventBlocksTest, ThrowsWhatTheSinkThrows) {
  Thrower thrower;
  EventBlocks blocks(thrower, GetParam());
  EXPECT_THROW(write(blocks, 0, 50'000), std::runtime_error);
  EXPECT_EQ(thrower.calls, 1) << "nothing is handed to a sink that failed";
}

TEST_P(EventBlocksTest, MayBeLeftInTheMiddle) {
  Times times;
  {
    EventBlocks blocks(times, GetParam());
    for (std::int64_t i = 0; i < 20'000; ++i) blocks.add().time = i;
  }
  EXPECT_EQ(times.in_order, times.next);
  EXPECT_LE(times.next, 20'000);
}

INSTANTIATE_TEST_SUITE_P(, EventBlocksTest, testing::Bool(), [](const auto& tested) {
  return tested.param ? "TwoThreads" : "OneThread";
});

}  // namespace
}  // namespace weir::gotrace
