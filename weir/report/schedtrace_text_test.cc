// What `weir schedtrace` prints, of reports written down here.
#include "weir/report/schedtrace_text.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace weir::report {
namespace {

using model::SchedVerdictKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

model::SchedReport report_of_two() {
  model::SchedReport report;
  report.source = "app";
  report.samples.resize(2);
  model::SchedSample& now = report.samples[1];
  now.at = Nanos{20'000'000};
  now.gomaxprocs = 4;
  now.idle_procs = 1;
  now.threads = 9;
  now.run_queue = 8;
  now.local_queues = 4;
  now.longest_local = 3;
  now.detailed = true;
  now.waiting = 31;
  report.count = 2;
  report.detailed = true;
  return report;
}

TEST(ScheduleNow, FitsTheTerminalAndSaysWhatHolds) {
  model::SchedReport report = report_of_two();
  report.verdicts = {
      {SchedVerdictKind::stalled, true, "It was.", "", Nanos{0}, Nanos{10'000'000}, 3},
      {SchedVerdictKind::unserved, true, "It is.", "", Nanos{10'000'000}, Nanos{20'000'000}, 3}};
  const auto lines = render_schedule_now(report, 60, false);
  EXPECT_THAT(lines, ElementsAre("-- scheduler at 20 ms, GOMAXPROCS 4",
                                 "queued   12 (8 global, 4 in Ps, 3 in one)           █",
                                 "idle Ps  1 of 4, while goroutines queue             █",
                                 "threads  9                                          █",
                                 "waiting  31                                         █",
                                 "verdict  unserved since 10 ms: It is."));
  for (const std::string& line : render_schedule_now(report, 20, false))
    EXPECT_LE(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }), 20) << line;
  EXPECT_THAT(render_schedule_now(report, 60, true).back(), testing::StartsWith("\x1b[31m"));
  EXPECT_EQ(render_schedule_line(report, 200),
            "weir: scheduler at 20 ms: queued 12 (8 global, 4 in Ps, 3 in one); idle Ps 1 of 4, "
            "while goroutines queue; threads 9; unserved");
  EXPECT_TRUE(render_schedule_now({}, 60, false).empty());
}

TEST(ScheduleText, CountsWhatComesAgainAndAgain) {
  model::SchedReport report = report_of_two();
  for (int i = 0; i < 7; ++i)
    report.verdicts.push_back(
        {SchedVerdictKind::starved, false, "No P is idle.", "", Nanos{i}, Nanos{i}, 3});
  const std::string text = render_schedule(report, {}, {});
  EXPECT_THAT(text, HasSubstr("starved  from 2 ns"));
  EXPECT_THAT(text, Not(HasSubstr("starved  from 3 ns")));
  EXPECT_THAT(text, HasSubstr("starved  4 times more; -json has them all"));
  EXPECT_EQ(nlohmann::json::parse(render_schedule_json(report, {})).at("verdicts").size(), 7u);
}

TEST(ScheduleText, EndsWithTheLooks) {
  model::SchedLook seen{SchedVerdictKind::stalled, Nanos{5'000'000}, {}, {}};
  seen.groups.source.name = "4711";
  seen.groups.total = seen.groups.chosen = 3;
  model::TopRow& row = seen.groups.rows.emplace_back();
  row.key = "chan receive: app.wait";
  row.count = 3;
  const model::SchedLook blind{
      SchedVerdictKind::frozen, Nanos{9'000'000}, {}, "no \x1b permission"};
  const model::SchedReport report = report_of_two();
  const std::string text = render_schedule(report, {seen, blind}, {});
  EXPECT_THAT(text, HasSubstr("when it was stalled, at 5 ms:\n4711: 3 goroutines"));
  EXPECT_THAT(text, HasSubstr("chan receive: app.wait"));
  EXPECT_THAT(text, HasSubstr("when it was frozen, at 9 ms:\nits goroutines could not be read: no "
                              "\\x1b permission"));
  const auto json = nlohmann::json::parse(render_schedule_json(report, {seen, blind}));
  EXPECT_EQ(json.at("looks")[0].at("goroutines").at("schema"), "weir.top/1");
  EXPECT_EQ(json.at("looks")[0].at("goroutines").at("rows")[0].at("count"), 3);
  EXPECT_EQ(json.at("looks")[1].at("failure"), "no \x1b permission");
  EXPECT_FALSE(nlohmann::json::parse(render_schedule_json(report, {})).contains("looks"));
}

}  // namespace
}  // namespace weir::report
