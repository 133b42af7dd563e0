#include "weir/report/gate_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gate_values.h"
#include "tests/support/golden.h"

namespace weir::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(GateText, Everything) {
  TextOptions options;
  options.top = 2;
  options.verbose = true;
  test::expect_golden("gate.txt", render_gate_text(test::report_with_everything(), options));
}

TEST(GateText, SaysNothingWhenThereIsNothing) {
  model::GateReport report;
  report.programs.resize(2);
  EXPECT_EQ(render_gate_text(report), "");
}

TEST(GateText, TheSameLeakInTwoPackagesIsOneRow) {
  model::GateReport report;
  report.programs.resize(2);
  report.programs[0].package = "a";
  report.programs[1].package = "b";
  report.programs[0].findings = {test::leak()};
  report.programs[1].findings = {test::leak()};
  const std::string text = render_gate_text(report);
  EXPECT_THAT(text, HasSubstr("weir: 6 goroutines linger in 1 place\n"));
  EXPECT_THAT(text, HasSubstr("#1  lingering  6 goroutines  in a, b\n"));
  EXPECT_THAT(text, HasSubstr("a.TestA/sub (2)"));
}

TEST(GateText, ColourOnlyWhenAsked) {
  EXPECT_THAT(render_gate_text(test::report_with_everything()), Not(HasSubstr("\x1b")));
  TextOptions options;
  options.colour = true;
  EXPECT_THAT(render_gate_text(test::report_with_everything(), options), HasSubstr("\x1b[1;31m"));
}

TEST(GateText, HostileTextCannotSpeakToTheTerminal) {
  model::GateReport report;
  report.programs.resize(1);
  report.programs[0].package = "\x1b]0;owned\x07";
  report.programs[0].findings = {test::leak()};
  report.programs[0].findings[0].blocked_on = "chan \x1b[2J";
  EXPECT_THAT(render_gate_text(report), Not(HasSubstr("\x1b")));
}

TEST(WantsColour, Rules) {
  EXPECT_TRUE(wants_colour(true, nullptr, "xterm", nullptr));
  EXPECT_FALSE(wants_colour(false, nullptr, "xterm", nullptr));
  EXPECT_FALSE(wants_colour(true, "1", "xterm", nullptr));
  EXPECT_FALSE(wants_colour(true, "1", "xterm", "1")) << "NO_COLOR is the stronger wish";
  EXPECT_TRUE(wants_colour(true, "", "xterm", nullptr)) << "empty counts as not set";
  EXPECT_FALSE(wants_colour(true, nullptr, "dumb", nullptr));
  EXPECT_FALSE(wants_colour(true, nullptr, nullptr, nullptr));
  EXPECT_TRUE(wants_colour(false, nullptr, nullptr, "1"));
  EXPECT_FALSE(wants_colour(false, nullptr, "xterm", "0"));
}

}  // namespace
}  // namespace weir::report
