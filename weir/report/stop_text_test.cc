#include "weir/report/stop_text.h"

#include <gtest/gtest.h>

namespace weir::report {
namespace {

model::Snapshot stopped(std::size_t own, std::size_t of_the_runtime) {
  model::Snapshot snapshot;
  snapshot.stopped = Nanos{310'000};
  snapshot.goroutines.resize(own + of_the_runtime);
  for (std::size_t i = 0; i < of_the_runtime; ++i) snapshot.goroutines[i].system = true;
  return snapshot;
}

TEST(StopText, CountsTheRuntimesOwnApart) {
  EXPECT_EQ(stop_text(stopped(5, 8)), "5 goroutines and 8 of the runtime, stopped 310 µs");
  EXPECT_EQ(stop_text(stopped(1, 0)), "1 goroutine, stopped 310 µs");
  EXPECT_EQ(stop_text(stopped(0, 1)), "0 goroutines and 1 of the runtime, stopped 310 µs");
}

TEST(StopText, SaysThatItIsPartial) {
  model::Snapshot snapshot = stopped(2, 0);
  snapshot.partial = true;
  EXPECT_EQ(stop_text(snapshot), "2 goroutines, stopped 310 µs, partial");
}

TEST(StopText, IsSilentWhereNothingWasStopped) {
  model::Snapshot snapshot = stopped(2, 0);
  snapshot.stopped.reset();
  EXPECT_EQ(stop_text(snapshot), "");
  snapshot = stopped(2, 0);
  snapshot.source.kind = model::SourceKind::recording;
  EXPECT_EQ(stop_text(snapshot), "");
}

}  // namespace
}  // namespace weir::report
