#include "weir/gotrace/schedtrace.h"

#include <gmock/gmock.h>

namespace weir::gotrace {
namespace {

using testing::ElementsAre;

struct Parsed {
  std::vector<SchedSample> samples;
  std::vector<std::string> others;

  explicit Parsed(std::string_view text) {
    SchedParser parser([this](const SchedSample& sample) { samples.push_back(sample); },
                       [this](std::string_view line) { others.emplace_back(line); });
    parser.feed(text);
    parser.finish();
  }
};

TEST(SchedTrace, LinesOfEveryVersion) {
  const Parsed parsed(
      "SCHED 0ms: gomaxprocs=2 idleprocs=1 threads=5 spinningthreads=1 idlethreads=0 runqueue=3 "
      "[4 5]\n"
      "SCHED 10ms: gomaxprocs=2 idleprocs=0 threads=6 spinningthreads=0 needspinning=1 "
      "idlethreads=2 runqueue=7 [0 9]\n"
      "SCHED 20ms: gomaxprocs=2 idleprocs=2 threads=6 spinningthreads=0 needspinning=0 "
      "idlethreads=2 runqueue=0 [ 1 2 ] schedticks=[ 10 20 ]\n");
  ASSERT_EQ(parsed.samples.size(), 3u);
  EXPECT_THAT(parsed.samples[0].local_queues, ElementsAre(4, 5));
  EXPECT_EQ(parsed.samples[0].run_queue, 3u);
  EXPECT_EQ(parsed.samples[1].idle_procs, 0u);
  EXPECT_FALSE(parsed.samples[1].sched_ticks);
  EXPECT_THAT(parsed.samples[2].local_queues, ElementsAre(1, 2));
  EXPECT_EQ(parsed.samples[2].sched_ticks, 30u);
  EXPECT_TRUE(parsed.others.empty());
}

TEST(SchedTrace, DetailAmongOtherOutput) {
  const Parsed parsed(
      "hello\n"
      "no break SCHED 5ms: gomaxprocs=1 idleprocs=0 threads=3 spinningthreads=0 needspinning=0 "
      "idlethreads=1 runqueue=0 gcwaiting=false nmidlelocked=0 stopwait=0 sysmonwait=false\n"
      "  P0: status=1 schedtick=42 syscalltick=1 m=0 runqsize=8 gfreecnt=0 timerslen=0\n"
      "  M0: p=0 curg=1 mallocing=0 throwing=0 preemptoff= locks=1 dying=0 spinning=false "
      "blocked=false lockedg=nil\n"
      "  G1: status=4(chan receive (nil chan)) m=nil lockedm=nil\n"
      "  G2: status=4100(select) m=nil lockedm=nil\n"
      "  G3: status=1() m=nil lockedm=nil\n"
      "  Pardon: this is the program's own\n");
  ASSERT_EQ(parsed.samples.size(), 1u);
  const SchedSample& sample = parsed.samples[0];
  EXPECT_TRUE(sample.detailed);
  EXPECT_THAT(sample.local_queues, ElementsAre(8));
  EXPECT_EQ(sample.sched_ticks, 42u);
  EXPECT_EQ(sample.waiting, 2u);
  EXPECT_EQ(sample.runnable, 1u);
  EXPECT_THAT(sample.waiting_for,
              ElementsAre(std::pair("chan receive (nil chan)", 1u), std::pair("select", 1u)));
  EXPECT_THAT(parsed.others,
              ElementsAre("hello", "no break ", "  Pardon: this is the program's own"));
}

}  // namespace
}  // namespace weir::gotrace
