// The counting of a trace's intervals, on intervals written down here.
#include <gmock/gmock.h>

#include <random>

#include "weir/analysis/trace_diff.h"
#include "weir/analysis/trace_health.h"
#include "weir/analysis/trace_heat.h"
#include "weir/analysis/trace_life.h"
#include "weir/analysis/trace_stacks.h"
#include "weir/analysis/trace_tally.h"
#include "weir/analysis/trace_timeline.h"

namespace weir::analysis {
namespace {

using model::TraceInterval;
using model::TraceKind;
using testing::ElementsAre;
using testing::Pair;

/// Stack n has one frame, "app.f<n>".
model::TraceNames names_with(std::uint32_t stacks) {
  model::TraceNames names;
  for (std::uint32_t i = 1; i <= stacks; ++i) {
    names.strings.push_back("app.f" + std::to_string(i));
    names.frames.push_back({i, 0, 10 + i, 0x1000 + i});
    names.stack_frames.push_back(i - 1);
    names.stack_begin.push_back(i);
  }
  return names;
}

TraceInterval interval(TraceKind kind, std::int64_t begin, std::int64_t end,
                       std::uint32_t stack = 1, std::uint32_t waker = 0) {
  TraceInterval made;
  made.kind = kind;
  made.begin = begin;
  made.end = end;
  made.goroutine = 7;
  made.stack = stack;
  made.waker_stack = waker;
  return made;
}

void take_all(model::TraceSink& sink, const std::vector<TraceInterval>& intervals) {
  for (const TraceInterval& one : intervals) sink.take(one);
}

TEST(TraceTally, CountsByKindStackAndWaker) {
  const model::TraceNames names = names_with(3);
  const TraceQuery query;
  TraceTally tally(names, query);
  take_all(
      tally,
      {interval(TraceKind::chan_send, 0, 100, 1, 3), interval(TraceKind::chan_send, 0, 300, 1, 2),
       interval(TraceKind::chan_send, 50, 60, 2), interval(TraceKind::woken, 0, 8, 1),
       interval(TraceKind::created, 0, 5, 1), interval(TraceKind::running, 0, 1000, 1)});
  const model::TraceReport report = tally.finish();
  ASSERT_EQ(report.sections.size(), 2u);
  EXPECT_TRUE(report.sections[0].scheduling);
  EXPECT_THAT(report.sections[0].parts,
              ElementsAre(Pair(TraceKind::woken, 1u), Pair(TraceKind::created, 1u)));
  const model::TraceSection& sends = report.sections[1];
  EXPECT_EQ(sends.waits.count, 3u);
  EXPECT_EQ(sends.waits.total.value, 410);
  EXPECT_EQ(sends.waits.longest.value, 300);
  ASSERT_EQ(sends.rows.size(), 2u);
  EXPECT_EQ(sends.rows[0].key, "app.f1");
  ASSERT_EQ(sends.rows[0].wakers.size(), 2u);
  EXPECT_EQ(sends.rows[0].wakers[0].where, "app.f2");
  EXPECT_EQ(sends.rows[0].wakers[0].total.value, 300);
}

TEST(TraceTally, OpenWaitsStandApart) {
  const model::TraceNames names = names_with(2);
  const TraceQuery query;
  TraceTally tally(names, query);
  std::vector<TraceInterval> open(3, interval(TraceKind::chan_receive, 10, 500));
  open[1].begin = 0;
  open[1].from_start = true;
  open.push_back(interval(TraceKind::sleep, 0, 500));
  open.push_back(interval(TraceKind::chan_receive, 0, 500));
  open.back().system = true;
  for (TraceInterval& one : open) one.open = true;
  take_all(tally, open);
  const model::TraceReport report = tally.finish();
  EXPECT_TRUE(report.sections.empty());
  EXPECT_EQ(report.open_goroutines, 4u);
  ASSERT_EQ(report.open.size(), 1u);
  EXPECT_EQ(report.open[0].count, 3u);
  EXPECT_EQ(report.open[0].from_start, 1u);
  EXPECT_EQ(report.open[0].longest.value, 500);
  EXPECT_EQ(report.open[0].fingerprint.key, "chan receive: app.f1");
}

TEST(TraceTally, NumbersOfPsAndGoroutinesDoNotSizeTables) {
  const model::TraceNames names = names_with(1);
  for (const model::TraceBy by : {model::TraceBy::proc, model::TraceBy::goroutine}) {
    TraceQuery query;
    query.by = by;
    TraceTally tally(names, query);
    constexpr std::uint32_t different = TraceTally::most_rows + 1000;
    for (std::uint32_t i = 0; i < different; ++i) {
      TraceInterval one = interval(TraceKind::woken, 0, 10);
      one.goroutine = one.proc = ~i - 1;
      tally.take(one);
    }
    const model::TraceReport report = tally.finish();
    ASSERT_EQ(report.sections.size(), 1u);
    EXPECT_EQ(report.sections[0].waits.count, different);
    EXPECT_EQ(report.sections[0].rows.size(), TraceTally::most_rows + 1);
    const auto rest =
        std::ranges::find(report.sections[0].rows, "(everything else)", &model::TraceRow::key);
    ASSERT_NE(rest, report.sections[0].rows.end());
    EXPECT_EQ(rest->waits.count, 1000u);
    EXPECT_FALSE(report.notes.all().empty());
  }
}

TEST(TraceTally, FiltersHold) {
  const model::TraceNames names = names_with(2);
  TraceQuery query;
  query.focus = Pattern::compile("f2$").value();
  query.min = Nanos{50};
  query.from = Nanos{100};
  TraceTally tally(names, query);
  take_all(tally,
           {interval(TraceKind::select, 0, 200, 1), interval(TraceKind::select, 0, 90, 2),
            interval(TraceKind::select, 180, 200, 2), interval(TraceKind::select, 0, 200, 2)});
  const model::TraceReport report = tally.finish();
  ASSERT_EQ(report.sections.size(), 1u);
  EXPECT_EQ(report.sections[0].waits.count, 1u);
}

TEST(TraceStacks, CountsAsGoDoes) {
  TraceStacks stacks(model::TraceProfile::sched);
  std::vector<TraceInterval> all{interval(TraceKind::woken, 0, 10, 1, 2),
                                 interval(TraceKind::woken, 0, 10, 1, 2),
                                 interval(TraceKind::chan_send, 0, 10, 1, 2)};
  all[1].before_first_run = true;
  take_all(stacks, all);
  const auto totals = stacks.finish();
  ASSERT_EQ(totals.size(), 1u);
  EXPECT_EQ(totals[0].stack, 2u);
  EXPECT_EQ(totals[0].count, 1u);
}

TEST(TraceHeat, KeepsEveryWaitWhateverTheLength) {
  TraceHeatTally heats;
  std::vector<TraceInterval> all;
  for (std::int64_t i = 0; i < 3000; ++i)
    all.push_back(interval(TraceKind::select, i * 1'000'000, i * 1'000'000 + 1000));
  take_all(heats, all);
  const model::TraceHeat heat = heats.heat(TraceKind::select);
  EXPECT_LE(heat.columns.size(), TraceHeatTally::most_columns);
  std::uint64_t sum = 0;
  for (const auto& column : heat.columns)
    for (const std::uint64_t count : column) sum += count;
  EXPECT_EQ(sum, 3000u);
  // Evenly spread over time: no column has what belongs to another.
  EXPECT_EQ(heat.columns[1][9],
            static_cast<std::uint64_t>((heat.column_width.value * 2 - 1) / 1'000'000 -
                                       (heat.column_width.value - 1) / 1'000'000));
}

TEST(TraceHeat, BeginsWhereItIsTold) {
  TraceHeatTally heats(Nanos{1'000'000'000});
  take_all(heats, {interval(TraceKind::select, 0, 999'999'999),
                   interval(TraceKind::select, 0, 1'000'000'001)});
  const model::TraceHeat heat = heats.heat(TraceKind::select);
  EXPECT_EQ(heat.begin.value, 1'000'000'000);
  ASSERT_EQ(heat.columns.size(), 1u);
  EXPECT_EQ(heat.columns[0][29], 1u);
}

TraceInterval of_goroutine(std::uint64_t goroutine, TraceKind kind, std::int64_t begin,
                           std::int64_t end) {
  TraceInterval made = interval(kind, begin, end);
  made.goroutine = goroutine;
  return made;
}

TEST(TraceWorst, AddsUpOneKindOfEachGoroutine) {
  TraceWorst worst(TraceKind::woken);
  std::vector<TraceInterval> all{
      of_goroutine(1, TraceKind::woken, 0, 10),     of_goroutine(1, TraceKind::created, 20, 25),
      of_goroutine(2, TraceKind::preempted, 0, 14), of_goroutine(3, TraceKind::select, 0, 1000),
      of_goroutine(4, TraceKind::woken, 0, 9),
  };
  all.push_back(of_goroutine(5, TraceKind::woken, 0, 500));
  all.push_back(of_goroutine(5, TraceKind::sleep, 500, 600));
  all.back().system = true;  // as is known only now
  take_all(worst, all);
  EXPECT_THAT(worst.worst(2), ElementsAre(1u, 2u));
  EXPECT_THAT(worst.worst(9), ElementsAre(1u, 2u, 4u));
}

TEST(TraceWorst, ForgetsTheShortestWhenThereAreTooMany) {
  TraceWorst worst(TraceKind::select);
  std::vector<TraceInterval> all;
  for (std::size_t i = 0; i < TraceWorst::most_goroutines + 10; ++i)
    all.push_back(
        of_goroutine(i + 1, TraceKind::select, 0, static_cast<std::int64_t>(i == 5 ? 1 << 30 : i)));
  take_all(worst, all);
  EXPECT_EQ(worst.worst(1).at(0), 6u);
  EXPECT_LE(worst.worst(all.size()).size(), TraceWorst::most_goroutines / 2 + 10);
}

TEST(TraceLives, TellWhatOneGoroutineDid) {
  const model::TraceNames names = names_with(3);
  TraceLives lives(names, {9, 7});
  std::vector<TraceInterval> all{
      interval(TraceKind::created, 100, 110),   interval(TraceKind::running, 110, 150),
      interval(TraceKind::gc_assist, 120, 130), interval(TraceKind::woken, 150, 155),
      interval(TraceKind::running, 155, 160),   interval(TraceKind::select, 160, 400),
      of_goroutine(8, TraceKind::sleep, 0, 999)};
  for (TraceInterval& one : all) {
    one.creation_stack = 2;
    one.start_stack = 3;
  }
  all[5].open = true;
  take_all(lives, all);
  const auto told = lives.finish();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_FALSE(told[0].seen);
  const model::TraceLife& life = told[1];
  EXPECT_EQ(life.goroutine, 7u);
  EXPECT_EQ(life.function, "app.f3");
  EXPECT_EQ(life.created_by, "app.f2");
  EXPECT_FALSE(life.from_start);
  EXPECT_EQ(life.first.value, 100);
  EXPECT_FALSE(life.ended);
  EXPECT_EQ(life.at_end, TraceKind::select);
  EXPECT_EQ(life.at_end_for.value, 240);
  ASSERT_EQ(life.parts.size(), 3u);
  EXPECT_EQ(life.parts[0].kind, TraceKind::select);
  EXPECT_EQ(life.parts[1].kind, TraceKind::running);
  EXPECT_EQ(life.parts[1].total.value, 45);
  EXPECT_EQ(life.parts[1].longest.value, 40);
  EXPECT_EQ(life.parts[2].count, 2u);
}

TEST(TraceTimeline, MergesOnlyWhatIsShort) {
  TraceTimelineTally tally({7, 9}, Nanos{0}, Nanos{600'000});
  take_all(
      tally,
      {interval(TraceKind::running, 0, 5000), interval(TraceKind::select, 5000, 5300),
       interval(TraceKind::running, 5300, 5900), interval(TraceKind::gc_assist, 5400, 5500),
       interval(TraceKind::sleep, 5900, 600'500), of_goroutine(8, TraceKind::sleep, 0, 10'000)});
  const model::TraceTimeline timeline = tally.finish();
  EXPECT_EQ(timeline.finest, 1000);
  ASSERT_EQ(timeline.lanes.size(), 2u);
  EXPECT_TRUE(timeline.lanes[1].spells.empty());
  const auto& spells = timeline.lanes[0].spells;
  ASSERT_EQ(spells.size(), 3u);
  EXPECT_EQ(spells[0].intervals, 1u);
  EXPECT_EQ(spells[0].end, 5000);
  EXPECT_EQ(spells[1].intervals, 2u);
  EXPECT_EQ(spells[1].kind, TraceKind::running);
  EXPECT_THAT(spells[1].parts,
              ElementsAre(Pair(TraceKind::running, 600), Pair(TraceKind::select, 300)));
  EXPECT_EQ(spells[2].begin, 5900);
  EXPECT_EQ(spells[2].end, 600'000) << "cut where the drawing ends";
}

TEST(TraceTimeline, HasABoundWhateverComes) {
  constexpr std::int64_t slices = TraceTimelineTally::slices, span = slices * 1000;
  TraceTimelineTally tally({7}, Nanos{0}, Nanos{span});
  std::mt19937 random(1);
  std::int64_t at = 0;
  std::uint64_t given = 0;
  while (at < span) {
    const std::int64_t end = at + (given % 4 == 0 ? 1000 : static_cast<std::int64_t>(random() % 3));
    tally.take(interval(TraceKind::select, at, end));
    at = end;
    ++given;
  }
  const model::TraceTimeline timeline = tally.finish();
  EXPECT_LE(timeline.lanes[0].spells.size(), 3u * slices + 1);
  std::uint64_t intervals = 0;
  std::int64_t covered = 0;
  for (const model::TraceSpell& spell : timeline.lanes[0].spells) {
    intervals += spell.intervals;
    covered += spell.end - spell.begin;
  }
  EXPECT_EQ(intervals, given);
  EXPECT_EQ(covered, span);
}

TEST(TraceDiff, TellsAChangeFromNoise) {
  const model::TraceNames names = names_with(1);
  const TraceQuery query;
  const auto run = [&](unsigned seed, double factor, TraceHeatTally& heat) {
    std::mt19937 random(seed);
    std::exponential_distribution<double> wait(1e-4);
    TraceTally tally(names, query);
    TraceTee both(tally, heat);
    std::vector<TraceInterval> all;
    for (std::int64_t i = 0; i < 5000; ++i)
      all.push_back(interval(TraceKind::mutex, i * 100'000,
                             i * 100'000 + static_cast<std::int64_t>(factor * wait(random))));
    take_all(both, all);
    return tally.finish();
  };
  TraceHeatTally heats[3];
  const auto base = run(1, 1, heats[0]), same = run(2, 1, heats[1]), slower = run(3, 1.5, heats[2]);
  const auto noise = compare_traces(base, heats[0], same, heats[1]);
  ASSERT_EQ(noise.rows.size(), 1u);
  EXPECT_EQ(noise.rows[0].change, model::TraceChange::noise);
  const auto change = compare_traces(base, heats[0], slower, heats[2]);
  EXPECT_EQ(change.rows[0].change, model::TraceChange::longer);
  EXPECT_NEAR(change.rows[0].factor, 1.5, 0.15);
  const auto back = compare_traces(slower, heats[2], base, heats[0]);
  EXPECT_EQ(back.rows[0].change, model::TraceChange::shorter);
}

TEST(RankTest, KnownProbabilities) {
  std::vector<double> low, high;
  for (int i = 0; i < 10; ++i) {
    low.push_back(i);
    high.push_back(i + 100);
  }
  // U is 0, its mean 50, its variance 175; with the correction of a half, z is 3.7418.
  EXPECT_NEAR(rank_test(low, high), 0.00018267, 1e-7);
  EXPECT_NEAR(rank_test(low, low), 1.0, 1e-9);
  EXPECT_EQ(rank_test(std::span(low).first(5), high), 1);
}

TEST(TraceHealth, CrossedOrNot) {
  const model::TraceNames names = names_with(1);
  const TraceQuery query;
  TraceTally tally(names, query);
  std::vector<TraceInterval> all(99, interval(TraceKind::woken, 0, 1000));
  all.push_back(interval(TraceKind::woken, 0, 1'000'000));
  take_all(tally, all);
  const model::TraceReport report = tally.finish();
  const auto judge = [&](TraceFigure figure, double limit) {
    return judge_health({"r", "scheduling", figure, Nanos{100'000}, limit}, report).crossed;
  };
  EXPECT_FALSE(judge(TraceFigure::p99, 2000));
  EXPECT_TRUE(judge(TraceFigure::max, 2000));
  EXPECT_TRUE(judge(TraceFigure::over_share, 0.9));
  EXPECT_FALSE(judge(TraceFigure::over_share, 1.1));
  EXPECT_FALSE(judge(TraceFigure::over_count, 1));
  EXPECT_FALSE(judge_health({"r", "select", TraceFigure::max, {}, 0}, report).crossed);
}

}  // namespace
}  // namespace weir::analysis
