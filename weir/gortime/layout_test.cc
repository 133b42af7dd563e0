#include "weir/gortime/layout.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "weir/gortime/globals.h"
#include "weir/gortime/layout_fields.h"

namespace weir::gortime {
namespace {

TEST(Offset, LoadsAsWideAsTheFieldIs) {
  const std::array<std::byte, 4> object{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  EXPECT_EQ(Offset(1, 2).load(object), 0x0302u);
  EXPECT_EQ(Offset(3, 1).load(object), 4u);
  EXPECT_EQ(Offset(3, 2).load(object, 77), 77u) << "reaches past the end";
  EXPECT_EQ(Offset(0, 24).load(object, 77), 77u) << "a slice is not a number";
  EXPECT_EQ(Offset().load(object, 77), 77u);
}

TEST(Offset, AddsToAnAddress) {
  EXPECT_EQ(Address{0x1000} + Offset(0x20, 8), Address{0x1020});
}

TEST(OffsetDeathTest, AnAbsentOneHasNoValue) {
  EXPECT_DEATH(static_cast<void>(Offset().value()), "present");
}

// Every byte of Layout belongs to exactly one entry: nothing in it stays unset for want of a line.
TEST(LayoutFields, CoverTheWholeOfLayoutOnce) {
  Layout layout;
  std::set<void*> places;
  std::size_t bytes = 0;
  for (const LayoutField& field : layout_fields()) {
    ASSERT_NE(field.offset == nullptr, field.number == nullptr) << field.member;
    void* place = field.offset ? static_cast<void*>(field.offset(layout))
                               : static_cast<void*>(field.number(layout));
    EXPECT_TRUE(places.insert(place).second) << field.member << " is listed twice";
    bytes += field.offset ? sizeof(Offset) : sizeof(Number);
  }
  EXPECT_EQ(bytes, sizeof(Layout)) << "a member of Layout is not listed in layout_fields.inc";
}

}  // namespace
}  // namespace weir::gortime
