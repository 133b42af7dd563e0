#include <gtest/gtest.h>
#include <unistd.h>

#include "weir/bytes/cursor.h"
#include "weir/bytes/inflate.h"
#include "weir/bytes/mapped_file.h"

namespace weir::bytes {
namespace {

using namespace std::string_view_literals;

TEST(Cursor, FailureIsStickyAndKeepsTheFirstOffset) {
  Cursor cursor(as_bytes("\x01\x02\x03"sv));
  EXPECT_EQ(cursor.u16(), 0x0201);
  EXPECT_EQ(cursor.u32(), 0u);
  EXPECT_FALSE(cursor.ok());
  EXPECT_TRUE(cursor.done());
  EXPECT_EQ(cursor.u8(), 0);
  EXPECT_EQ(cursor.failed_at().value, 2u);
}

TEST(Cursor, HugeLengthsDoNotWrap) {
  Cursor cursor(as_bytes("abcd"sv));
  cursor.skip(2);
  EXPECT_TRUE(cursor.take(~std::size_t{0}).empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(Cursor, VarintRefusesMoreThan64Bits) {
  Cursor good(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv));
  EXPECT_EQ(good.varint(), ~std::uint64_t{0});
  Cursor bad(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));
  bad.varint();
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.failed_at().value, 0u);
}

TEST(Cursor, StringNeedsItsNul) {
  Cursor cursor(as_bytes("ab\0cd"sv));
  EXPECT_EQ(cursor.c_string(), "ab");
  EXPECT_EQ(cursor.c_string(), "");
  EXPECT_FALSE(cursor.ok());
}

TEST(Gzip, RoundTripsAndHoldsTheLimit) {
  const std::string text(200000, 'x');
  const std::string packed = gzip(text);
  EXPECT_EQ(gunzip(as_bytes(packed), 1 << 20).value(), text);
  EXPECT_EQ(gunzip(as_bytes(packed + packed), 1 << 20).value(), text + text);
  EXPECT_EQ(gunzip(as_bytes(packed), 1000).error().code, ErrorCode::limit);
  EXPECT_EQ(gunzip(as_bytes(packed.substr(0, 20)), 1 << 20).error().code, ErrorCode::truncated);
  EXPECT_EQ(gunzip(as_bytes("\x1f\x8bgarbage...."sv), 1 << 20).error().code, ErrorCode::invalid);
}

TEST(Files, WriteThenMapAndRead) {
  const std::string path = testing::TempDir() + "weir_bytes_" + std::to_string(::getpid());
  ASSERT_TRUE(write_file(path, "hello"));
  EXPECT_EQ(as_text(MappedFile::open(path)->bytes()), "hello");
  EXPECT_EQ(read_file(path).value(), "hello");
  EXPECT_EQ(read_file(path, 3).error().code, ErrorCode::limit);
  ::unlink(path.c_str());
  EXPECT_EQ(MappedFile::open(path).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace weir::bytes
