#include "weir/bytes/window.h"

#include <gtest/gtest.h>

namespace weir::bytes {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t page = PageSet::page_size;

TEST(PageSet, AddsWholePagesAndCountsThemOnce) {
  PageSet pages(4 * page + 1);
  pages.add(4095, 2);
  pages.add(4096, 1);
  pages.add(100, 0);
  EXPECT_EQ(pages.indices(), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(pages.count(), 2u);
  EXPECT_TRUE(pages.contains(1));
  EXPECT_FALSE(pages.contains(2));
}

TEST(PageSet, RangesBeyondTheFileAreCut) {
  PageSet pages(4 * page + 1);
  pages.add(4 * page, ~std::uint64_t{0});
  pages.add(~std::uint64_t{0}, 10);
  EXPECT_EQ(pages.indices(), (std::vector<std::uint64_t>{4}));
  EXPECT_FALSE(pages.contains(5));
}

TEST(Window, NotesWhatIsReadAndNothingElse) {
  const std::string text(5 * page, 'x');
  PageSet pages(text.size());
  const Window window(as_bytes(text).subspan(4096), 4096, &pages);
  EXPECT_EQ(window.take(4096, 4).size(), 4u);
  std::uint32_t value = 7;
  EXPECT_TRUE(window.read(2 * page - 2, value));
  EXPECT_FALSE(window.read(4 * page - 2, value));
  EXPECT_TRUE(window.take(0, 4 * page + 1).empty());
  EXPECT_TRUE(window.take(~std::uint64_t{0}, 2).empty());
  EXPECT_EQ(window.part(0, 10).unnoted().size(), 10u);
  EXPECT_EQ(pages.indices(), (std::vector<std::uint64_t>{2, 3}));
}

TEST(Window, StringsNeedTheirNulWithinTheLimit) {
  const Window window(as_bytes("abc\0def"sv), 0, nullptr);
  std::string_view text = "old";
  EXPECT_TRUE(window.read_c_string(1, 10, text));
  EXPECT_EQ(text, "bc");
  EXPECT_FALSE(window.read_c_string(0, 3, text));
  EXPECT_FALSE(window.read_c_string(4, 10, text));
  EXPECT_FALSE(window.read_c_string(7, 10, text));
  EXPECT_EQ(text, "bc");
}

}  // namespace
}  // namespace weir::bytes
