#include "weir/dump/count_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::dump {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view profile =
    "goroutine profile: total 4\n"
    "3 @ 0x489ace 0x4195bc 0x674965\n"
    "# labels: {\"a \\\"q\\\"\":\"b, }\", \"tenant\":\"\\u00e9\\x00\"}\n"
    "#\t0x674964\tmain.(*T[...]).init.func2+0x24\t\t/work dir/main.go:50\n"
    "#\t0x67523b\tmain.main.func1+0x3b\t/work dir/main.go:96\n"
    "#\t0x99\n"
    "\n"
    "1 @ 0x1\n"
    "#\t0x1\tmain.main+0x0\t/m.go:1\n"
    "\n";

TEST(Counts, TakesRecordsApart) {
  std::vector<CountRecord> records;
  const auto summary = parse_counts(profile, [&](const CountRecord& r) { records.push_back(r); });
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->name, "goroutine");
  EXPECT_EQ(summary->total, 4u);
  EXPECT_EQ(summary->counted, 4u);
  EXPECT_TRUE(summary->notes.empty());
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].count, 3u);
  EXPECT_THAT(records[0].pcs, ElementsAre(Address{0x489ace}, Address{0x4195bc}, Address{0x674965}));
  EXPECT_THAT(records[0].labels,
              ElementsAre(Pair("a \"q\"", "b, }"), Pair("tenant", std::string("\xc3\xa9\0", 3))));
  ASSERT_EQ(records[0].frames.size(), 3u);
  EXPECT_EQ(records[0].frames[0], (CountFrame{Address{0x674964}, "main.(*T[...]).init.func2", 0x24,
                                              "/work dir/main.go", 50}));
  EXPECT_EQ(records[0].frames[2], (CountFrame{Address{0x99}, "", 0, "", 0}));
  EXPECT_THAT(records[1].labels, IsEmpty());
}

TEST(Counts, SaysWhenTextIsMissing) {
  const auto cut = parse_counts(profile.substr(0, 90), [](const CountRecord&) {});
  ASSERT_TRUE(cut);
  EXPECT_FALSE(cut->notes.empty());
  const auto none = parse_counts("goroutine 1 [running]:\n", [](const CountRecord&) {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::invalid);
}

TEST(Counts, RefusesMoreThanAProfileCanCount) {
  const auto parse = [](std::string_view text) {
    return parse_counts(text, [](const CountRecord&) {});
  };
  EXPECT_TRUE(parse("goroutine profile: total 1\n9223372036854775807 @ 0x1\n0 @ 0x2\n"));
  for (const char* text : {"goroutine profile: total 1\n9223372036854775808 @ 0x1\n",
                           "goroutine profile: total 1\n18446744073709551615 @ 0x1\n2 @ 0x2\n",
                           "goroutine profile: total 1\n9223372036854775807 @ 0x1\n1 @ 0x2\n"}) {
    const auto counted = parse(text);
    ASSERT_FALSE(counted) << text;
    EXPECT_EQ(counted.error().what, "the counts add up to more than 9223372036854775807");
  }
}

TEST(Counts, KnowsItsOwnBeginning) {
  EXPECT_TRUE(looks_like_counts("goroutine profile: total 5\n1 @"));
  EXPECT_TRUE(looks_like_counts("goroutineleak profile: total 0\r\n"));
  EXPECT_FALSE(looks_like_counts("goroutine 5 [running]:\n"));
  EXPECT_FALSE(looks_like_counts("heap profile: 1: 2 [3: 4] @ heap/1\n"));
  EXPECT_FALSE(looks_like_counts(""));
}

}  // namespace
}  // namespace weir::dump
