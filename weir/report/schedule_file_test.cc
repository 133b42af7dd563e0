#include "weir/report/schedule_file.h"

#include <gmock/gmock.h>

#include "weir/report/schedule_text.h"

namespace weir::report {
namespace {

using model::Schedule;
using testing::HasSubstr;
using testing::SizeIs;

Schedule two_points() {
  Schedule schedule;
  schedule.weir_version = "0.1.0";
  schedule.go_version = "go1.26.8";
  schedule.build_id = "a/b/c/d";
  schedule.hooks = "00000000deadbeef";
  schedule.package = "example.org/p";
  schedule.folder = "/src/p";
  schedule.test = "TestA";
  schedule.arguments = {"-test.short=true"};
  schedule.seed = 7;
  schedule.strategy = "random walk";
  schedule.steps = {
      {Goid{6}, "sync.(*Mutex).Lock", 1, {"p.f", "/src/p/p_test.go", 12}, 2, 1, Goid{7}},
      {Goid{8}, "resume", 0, {}, 3, 0, Goid{8}}};
  schedule.outcome = "deadlock";
  schedule.message = "all goroutines are asleep - deadlock!";
  schedule.hash = "0123456789abcdef";
  return schedule;
}

ErrorCode code_of(const std::string& text) {
  const auto parsed = parse_schedule_file(text, "a.schedule");
  EXPECT_FALSE(parsed.has_value());
  return parsed ? ErrorCode::io : parsed.error().code;
}

TEST(ScheduleFile, IsReadAsItWasWritten) {
  const std::string text = render_schedule_file(two_points());
  const auto again = parse_schedule_file(text);
  ASSERT_TRUE(again.has_value()) << to_string(again.error());
  EXPECT_EQ(render_schedule_file(*again), text);
  ASSERT_THAT(again->steps, SizeIs(2));
  EXPECT_EQ(again->steps[0].where.line, 12);
  EXPECT_EQ(again->steps[0].choice, 1U);
  EXPECT_EQ(again->steps[1].runs, Goid{8});
  EXPECT_EQ(again->seed, 7U);
  EXPECT_THAT(again->arguments, testing::ElementsAre("-test.short=true"));
}

TEST(ScheduleFile, IsRefusedWhenCut) {
  std::string text = render_schedule_file(two_points());
  text.resize(text.find("{\"outcome\""));
  EXPECT_EQ(code_of(text), ErrorCode::truncated);
  EXPECT_EQ(code_of(""), ErrorCode::truncated);
}

TEST(ScheduleFile, NamesTheLineThatIsWrong) {
  std::string text = render_schedule_file(two_points());
  text.insert(text.find("{\"point\":2"), "what\n");
  const auto parsed = parse_schedule_file(text, "a.schedule");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_THAT(to_string(parsed.error()), HasSubstr("line 3"));
  EXPECT_THAT(to_string(parsed.error()), HasSubstr("a.schedule"));
}

TEST(ScheduleFile, RefusesAChoiceThatIsNone) {
  std::string text = render_schedule_file(two_points());
  const std::string good = "\"alternatives\":2,\"choice\":1";
  text.replace(text.find(good), good.size(), "\"alternatives\":2,\"choice\":2");
  EXPECT_EQ(code_of(text), ErrorCode::invalid);
}

TEST(ScheduleFile, RefusesOtherSchemas) {
  EXPECT_EQ(code_of("{\"schema\":\"weir.schedule/2\"}\n"), ErrorCode::unsupported);
  EXPECT_EQ(code_of("{\"schema\":\"weir.dump/1\"}\n"), ErrorCode::invalid);
  EXPECT_EQ(code_of("[]\n"), ErrorCode::invalid);
}

TEST(Timeline, MarksWhatGoWouldNotHaveDone) {
  const std::string text = render_timeline(two_points(), {0, false, "/src"});
  EXPECT_THAT(text,
              HasSubstr(">    1  goroutine 6    before sync.(*Mutex).Lock #1  p/p_test.go:12: "
                        "goroutine 7 goes on instead\n"));
  EXPECT_THAT(text, HasSubstr("     2  goroutine 8    goes on\n"));
  EXPECT_THAT(render_timeline(two_points(), {1, false, ""}),
              HasSubstr("… 1 point before, not shown"));
}

}  // namespace
}  // namespace weir::report
