#include "weir/analysis/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using model::IgnoreRules;
using model::Status;
using test::Go;

const auto leak = Go(7)
                      .waits("chan receive")
                      .at({"runtime.gopark", "app.wait", "app.run.func1", "runtime.goexit"})
                      .made_by("app.run");

Ignored with(const model::Goroutine& goroutine, const IgnoreRules& rules = {},
             const std::unordered_set<Goid>& before = {}) {
  return ignored(goroutine, rules, before);
}

TEST(Matches, StarsStandForAnyRun) {
  EXPECT_TRUE(matches("app.run", "app.run"));
  EXPECT_FALSE(matches("app.run", "app.run.func1"));
  EXPECT_TRUE(matches("app.run*", "app.run.func1"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*a*b*c", "xaybzbc"));
  EXPECT_FALSE(matches("*a*b*c", "xaybzb"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_TRUE(matches("app.(*T[...]).run", "app.(*T[...]).run"));
}

TEST(Filter, AnOrdinaryGoroutineLingers) {
  EXPECT_EQ(with(leak), Ignored::no);
}

TEST(Filter, TopIsTheFirstFunctionATracebackShows) {
  EXPECT_EQ(with(leak, {.top = {"app.wait"}}), Ignored::top);
  EXPECT_EQ(with(leak, {.top = {"app.run.func1"}}), Ignored::no);
  EXPECT_EQ(with(leak, {.top = {"app.w*"}}), Ignored::top);
}

TEST(Filter, AnyIncludesTheCreator) {
  EXPECT_EQ(with(leak, {.any = {"app.run.func1"}}), Ignored::any);
  EXPECT_EQ(with(leak, {.any = {"app.run"}}), Ignored::any);
  EXPECT_EQ(with(leak, {.any = {"app"}}), Ignored::no);
}

TEST(Filter, CreatedByIsExact) {
  EXPECT_EQ(with(leak, {.created_by = {"app.run"}}), Ignored::created_by);
  EXPECT_EQ(with(leak, {.created_by = {"app.wait"}}), Ignored::no);
}

TEST(Filter, CurrentNeedsTheOption) {
  EXPECT_EQ(with(leak, {.current = true}, {Goid{7}}), Ignored::current);
  EXPECT_EQ(with(leak, {.current = false}, {Goid{7}}), Ignored::no);
  EXPECT_EQ(with(leak, {.current = true}, {Goid{8}}), Ignored::no);
}

TEST(Filter, BuiltInExceptions) {
  EXPECT_EQ(with(Go(1).waits("chan receive").at({"main.main"})), Ignored::main);
  EXPECT_EQ(with(Go(2).waits("finalizer wait").at({"runtime.runfinq"}).system()), Ignored::system);
  EXPECT_EQ(with(Go(3)
                     .waits("chan receive")
                     .at({"runtime.gopark", "testing.(*T).Run", "app.TestA", "testing.tRunner"})),
            Ignored::testing);
  EXPECT_EQ(with(Go(3).waits("chan receive").at({"runtime.gopark", "testing.(*T).Parallel"})),
            Ignored::testing);
  EXPECT_EQ(with(Go(3).waits("chan receive").at({"testing.tRunner.func1", "testing.tRunner"})),
            Ignored::testing);
  // os.Exit while a test runs: the test is nobody's leak.
  EXPECT_EQ(with(Go(3).waits("chan receive").at({"app.TestA", "testing.tRunner"})),
            Ignored::testing);
  EXPECT_EQ(with(Go(4)
                     .status(Status::syscall)
                     .at({"runtime.notetsleepg", "os/signal.signal_recv", "os/signal.loop"})),
            Ignored::signals);
  EXPECT_EQ(with(Go(5)
                     .waits("trace reader (blocked)")
                     .at({"runtime.gopark", "runtime.ReadTrace", "runtime/trace.Start.func1"})),
            Ignored::tracer);
  EXPECT_EQ(with(Go(6).status(Status::syscall).at({"runtime.goexit"})), Ignored::system);
}

TEST(Filter, WhatGoleakReportsIsReported) {
  EXPECT_EQ(with(Go(9).waits("IO wait").at(
                {"internal/poll.runtime_pollWait", "net/http.(*persistConn).readLoop"})),
            Ignored::no);
  EXPECT_EQ(with(Go(9).waits("select").at({"testing.(*T).Run", "app.TestA"})), Ignored::no);
  EXPECT_EQ(with(Go(9).status(Status::syscall).at({"syscall.Syscall", "os.(*File).Read"})),
            Ignored::no);
}

TEST(Filter, LingeringGivesIndices) {
  const auto snapshot = test::snapshot({Go(1).at({"main.main"}), leak});
  EXPECT_THAT(lingering(snapshot, {}, {}), testing::ElementsAre(1));
  EXPECT_THAT(lingering(snapshot, {}, {}, Goid{7}), testing::IsEmpty());
}

}  // namespace
}  // namespace weir::analysis
