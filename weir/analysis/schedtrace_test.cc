#include "weir/analysis/schedtrace.h"

#include <gmock/gmock.h>

namespace weir::analysis {
namespace {

using model::SchedSample;
using model::SchedVerdictKind;

SchedSample sample(std::uint64_t idle, std::uint64_t queued, std::uint64_t waiting = 0) {
  SchedSample made;
  made.gomaxprocs = 4;
  made.idle_procs = idle;
  made.run_queue = queued;
  made.threads = 8;
  made.waiting = waiting;
  made.detailed = waiting != 0;
  return made;
}

std::vector<SchedVerdictKind> kinds(std::vector<SchedSample> samples) {
  std::vector<SchedVerdictKind> found;
  for (const auto& verdict : judge_schedule(std::move(samples)).verdicts)
    found.push_back(verdict.kind);
  return found;
}

TEST(Schedule, TwoSamplesAreNoVerdict) {
  EXPECT_THAT(kinds({sample(1, 5), sample(1, 5)}), testing::IsEmpty());
  EXPECT_THAT(kinds({sample(1, 5), sample(0, 0), sample(1, 5)}), testing::IsEmpty());
  EXPECT_THAT(kinds({sample(1, 5), sample(1, 5), sample(1, 5)}),
              testing::ElementsAre(SchedVerdictKind::unserved));
}

TEST(Schedule, WaitersThatGrowOnIdlePsAreAStall) {
  EXPECT_THAT(kinds({sample(4, 0, 10), sample(4, 0, 20), sample(4, 0, 30), sample(4, 0, 40)}),
              testing::ElementsAre(SchedVerdictKind::stalled, SchedVerdictKind::idle));
  EXPECT_THAT(kinds({sample(4, 0, 10), sample(4, 0, 10), sample(4, 0, 10), sample(4, 0, 10)}),
              testing::ElementsAre(SchedVerdictKind::idle));
}

TEST(Schedule, NothingScheduledWhileGoroutinesQueueIsFrozen) {
  std::vector<SchedSample> samples(4, sample(0, 2));
  for (SchedSample& one : samples) one.sched_ticks = 77;
  EXPECT_THAT(kinds(samples), testing::ElementsAre(SchedVerdictKind::frozen));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].sched_ticks = 77 + i;
  EXPECT_THAT(kinds(samples), testing::IsEmpty());
}

TEST(Schedule, ThreadsThatOnlyGrow) {
  std::vector<SchedSample> samples;
  for (const std::uint64_t threads : {8, 20, 30, 40}) {
    samples.push_back(sample(0, 0));
    samples.back().threads = threads;
  }
  EXPECT_THAT(kinds(samples), testing::ElementsAre(SchedVerdictKind::threads));
  samples.back().threads = 29;
  EXPECT_THAT(kinds(samples), testing::IsEmpty());
}

}  // namespace
}  // namespace weir::analysis
