#include "weir/dump/value_text.h"

#include <gmock/gmock.h>

#include <optional>

namespace weir::dump {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Read {
  std::optional<ValueTitle> title;
  std::string error;
  std::vector<std::array<std::int64_t, 4>> values;
  std::vector<std::size_t> depths, frames;
  std::string first_function;
};

Read read(std::string_view text) {
  Read read;
  const auto title = parse_values(text, [&](const ValueRecord& record) {
    read.values.push_back(record.values);
    read.depths.push_back(record.pcs.size());
    read.frames.push_back(record.frames.size());
    if (!record.frames.empty() && read.first_function.empty())
      read.first_function = record.frames[0].function;
  });
  if (title) {
    read.title = *title;
  } else {
    read.error = to_string(title.error());
  }
  return read;
}

TEST(ValueText, Heap) {
  const Read heap = read(
      "heap profile: 3: 1536 [4: 2048] @ heap/1048576\n"
      "2: 1024 [3: 1536] @ 0x11 0x22 0x33\n"
      "#\t0x21\tmain.f+0x10\t\t/a/b c.go:7\n"
      "#\t0x32\tmain.main+0x1\t/a/b c.go:9\n"
      "\n"
      "1: 512 [1: 512] @ 0x44\n"
      "\n"
      "# runtime.MemStats\n"
      "# Alloc = 12\n");
  ASSERT_TRUE(heap.title) << heap.error;
  EXPECT_TRUE(heap.title->is_heap);
  EXPECT_EQ(heap.title->rate, 524288);
  EXPECT_THAT(heap.values, ElementsAre(ElementsAre(2, 1024, 3, 1536), ElementsAre(1, 512, 1, 512)));
  EXPECT_THAT(heap.depths, ElementsAre(3u, 1u));
  EXPECT_THAT(heap.frames, ElementsAre(2u, 0u));
  EXPECT_EQ(heap.first_function, "main.f");
}

TEST(ValueText, Contentions) {
  const Read mutex = read(
      "--- mutex:\r\ncycles/second=2000000000\r\nsampling period=5\r\n"
      "1000 2 @ 0x1 0x2\r\n#\t0x1\tsync.(*Mutex).Unlock+0x2\t/m.go:1\r\n");
  ASSERT_TRUE(mutex.title) << mutex.error;
  EXPECT_FALSE(mutex.title->is_heap);
  EXPECT_EQ(mutex.title->cycles_per_second, 2'000'000'000);
  EXPECT_EQ(mutex.title->period, 5);
  EXPECT_THAT(mutex.values, ElementsAre(ElementsAre(1000, 2, 0, 0)));
  EXPECT_TRUE(read("--- contention:\ncycles/second=1\n").title);
}

TEST(ValueText, WhatIsBrokenHasItsLine) {
  EXPECT_THAT(read("heap profile: 1: x [").error, HasSubstr("line 1"));
  EXPECT_THAT(read("--- mutex:\nformat=java\n").error, HasSubstr("line 2"));
  EXPECT_THAT(read("--- mutex:\ncycles/second=1\n12 @ 0x1\n").error, HasSubstr("line 3"));
  EXPECT_THAT(read("--- mutex:\n1 2 @ 0xzz\n").error, HasSubstr("line 2"));
  EXPECT_THAT(read("--- mutex:\n99999999999999999999 2 @ 0x1\n").error, HasSubstr("line 2"));
}

}  // namespace
}  // namespace weir::dump
