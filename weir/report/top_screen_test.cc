#include "weir/report/top_screen.h"

#include <gmock/gmock.h>

#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

model::TopReport report(std::size_t rows) {
  model::TopReport made;
  made.source.name = "4711";
  for (std::size_t i = 0; i < rows; ++i) {
    model::TopRow& row = made.rows.emplace_back();
    row.key = "group " + std::to_string(i) + "\x1b[31m";
    row.count = rows - i;
    made.total += row.count;
  }
  made.chosen = made.total;
  return made;
}

std::size_t width(std::string_view line) {
  std::size_t count = 0;
  for (; !line.empty(); ++count) line.remove_prefix(std::max<std::size_t>(1, utf8_length(line)));
  return count;
}

TEST(TopScreen, FitsEveryTerminal) {
  for (const std::size_t rows : {0, 1, 2, 3, 7, 50}) {
    for (const std::size_t columns : {1, 20, 200}) {
      for (const bool open : {false, true}) {
        TopView view;
        view.rows = rows;
        view.columns = columns;
        view.open = open;
        view.selected = 9;
        const auto lines = render_top_screen(report(10), view, {});
        EXPECT_THAT(lines, SizeIs(rows));
        for (const std::string& line : lines) EXPECT_LE(width(line), columns) << line;
      }
    }
  }
}

TEST(TopScreen, TheSelectedGroupIsAlwaysOnIt) {
  TopView view;
  view.rows = 8;
  for (view.selected = 0; view.selected < 30; ++view.selected) {
    std::string text;
    for (const std::string& line : render_top_screen(report(30), view, {})) text += line + "\n";
    EXPECT_THAT(text, HasSubstr("group " + std::to_string(view.selected) + "\\x1b"));
  }
}

TEST(TopScreen, ChangesAreCountedFromTheBase) {
  TopView view;
  view.base =
      std::map<std::string, std::uint64_t>{{report(3).rows[0].key, 3}, {report(3).rows[1].key, 9}};
  const auto lines = render_top_screen(report(3), view, {});
  EXPECT_THAT(lines[2], Not(HasSubstr("+")));
  EXPECT_THAT(lines[3], HasSubstr(" -7 "));
  EXPECT_THAT(lines[4], HasSubstr(" +1 "));
  view.base.emplace();
  EXPECT_THAT(render_top_screen(report(3), view, {})[2], HasSubstr(" +3 "))
      << "nothing was there at first";
}

TEST(TopScreen, CutsAtCharacters) {
  EXPECT_EQ(clipped("ääää", 4), "ääää");
  EXPECT_EQ(clipped("ääää", 3), "ää…");
  EXPECT_EQ(clipped("ä", 0), "");
  EXPECT_EQ(clipped("", 0), "");
}

}  // namespace
}  // namespace weir::report
