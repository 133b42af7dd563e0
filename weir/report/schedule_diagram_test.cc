#include "weir/report/schedule_diagram.h"

#include <gmock/gmock.h>

#include "weir/report/schedule_skeleton.h"

namespace weir::report {
namespace {

using model::Schedule;
using model::ScheduleEnd;
using model::ScheduleStep;
using testing::HasSubstr;
using testing::Not;

ScheduleStep act(std::uint64_t id, std::int32_t line, std::uint64_t instead = 0) {
  ScheduleStep step;
  step.goroutine = Goid{id};
  step.operation = "sync.(*Mutex).Lock";
  step.object = 1;
  step.where = {"example.org/p.work", "/src/p/p_test.go", line};
  step.alternatives = 2;
  step.choice = instead == 0 ? 0 : 1;
  step.runs = Goid{instead == 0 ? id : instead};
  return step;
}

Schedule two_goroutines() {
  Schedule schedule;
  schedule.test = "TestA";
  schedule.package = "example.org/p/v2";
  schedule.outcome = "deadlock";
  schedule.message = "<asleep> & gone";
  schedule.steps = {act(7, 10), act(7, 11, 8), act(8, 20), act(8, 21, 7)};
  return schedule;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(ScheduleDiagram, HasALineForEachGoroutineAndARowForEachPoint) {
  ScheduleEnd end;
  end.goroutines = {
      {Goid{7}, "sync.Mutex #1", {"example.org/p.work", "/src/p/p_test.go", 11}, {Goid{8}}},
      {Goid{8}, "sync.Mutex #2", {}, {Goid{7}}}};
  end.cycle = {Goid{7}, Goid{8}};
  const DiagramOptions options{0, "/src/p", [](const model::CodePlace& place) {
                                 return place.line == 20 ? "a < b.Lock()" : "";
                               }};
  const std::string svg = render_schedule_svg(two_goroutines(), end, options);
  EXPECT_EQ(count(svg, "class=\"lane\""), 2U);
  EXPECT_EQ(count(svg, "<circle"), 4U);
  EXPECT_EQ(count(svg, "marker-end"), 4U);  // two switches, two waits
  EXPECT_THAT(svg, HasSubstr("p_test.go:20  a &lt; b.Lock()"));
  EXPECT_THAT(svg, HasSubstr("&lt;asleep&gt; &amp; gone"));
  EXPECT_THAT(svg, HasSubstr("cycle: goroutine 7 waits for goroutine 8 waits for goroutine 7"));
}

TEST(ScheduleDiagram, SaysWhatItDoesNotShow) {
  const std::string svg = render_schedule_svg(two_goroutines(), std::nullopt, {1, "", nullptr});
  EXPECT_EQ(count(svg, "<circle"), 1U);
  EXPECT_THAT(svg, HasSubstr("3 points before are not shown"));
}

TEST(ScheduleDiagram, HostileNamesStayText) {
  Schedule schedule = two_goroutines();
  schedule.test = "</text><script>\x1b";
  schedule.steps[0].where.file = std::string(300, '\xc3') + "<b>";
  const std::string page = render_schedule_html(schedule, std::nullopt, {});
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
}

TEST(TestSkeleton, TellsWhatComesBeforeWhat) {
  const TestSkeleton skeleton = render_test_skeleton(two_goroutines());
  EXPECT_EQ(skeleton.orders, 1U);  // 8's last point has nobody after it
  EXPECT_THAT(skeleton.text, HasSubstr("\npackage p\n"));
  EXPECT_THAT(skeleton.text, HasSubstr("func TestAOrder(t *testing.T)"));
  EXPECT_THAT(skeleton.text, HasSubstr("1. weirDone(1) before p_test.go:21"));
  EXPECT_THAT(skeleton.text, HasSubstr("weirWait(1) before p_test.go:11"));
}

TEST(TestSkeleton, IsEmptyForGosOwnOrder) {
  Schedule schedule = two_goroutines();
  for (ScheduleStep& step : schedule.steps) step.choice = 0;
  EXPECT_EQ(render_test_skeleton(schedule).orders, 0U);
}

}  // namespace
}  // namespace weir::report
