#include "weir/report/traceback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/golden.h"
#include "tests/support/goroutines.h"
#include "weir/report/snapshot_json.h"

namespace weir::report {
namespace {

using model::Goroutine;
using model::Snapshot;
using model::Status;
using test::Go;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string one(const Goroutine& goroutine, Extras extras = Extras::labels_only,
                bool system = false) {
  TracebackOptions options;
  options.extras = extras;
  options.system = system;
  return render_traceback(test::snapshot({goroutine}), options);
}

/// A bit of everything; also what the JSON golden shows.
Snapshot everything() {
  auto inlined =
      Go(7)
          .waits("chan receive")
          .at({"runtime.gopark", "runtime.chanrecv1", "app.inner", "app.outer[go.shape.int]"})
          .made_by("app.start.func1", 1)
          .on(model::WaitKind::channel_receive, {test::receives(0xc000012340)})
          .for_at_least(125);
  auto stack = *inlined.raw().stack;
  stack[2].inlined = true;
  stack[3].args = "0x1, {0xc000010000, 0x2}, ...";
  stack[3].pc = Address{0x4a0123};
  inlined.raw().stack = std::make_shared<model::Stack>(stack);
  inlined.raw().locked_to_thread = true;
  inlined.raw().labels = {{"handler", "/users"}, {"odd key", "a\"b\xff\n"}};
  inlined.raw().ancestors = {{Goid{5}, {stack[3]}}};
  inlined.raw().start_function = "app.start.func1";
  auto select =
      Go(8)
          .waits("select")
          .at({"runtime.gopark", "runtime.selectgo", "app.loop"})
          .made_by("app.start", 1)
          .on(model::WaitKind::select, {test::sends(0x10), test::receives(0x20, "struct {}")});
  auto io = Go(9)
                .waits("IO wait")
                .at({"internal/poll.runtime_pollWait", "app.read"})
                .on(model::WaitKind::io);
  io.raw().blocked_on->fd = 5;
  io.raw().blocked_on->fd_target = "tcp 127.0.0.1:80";
  io.raw().blocked_on->io_direction = model::Direction::receive;
  auto snapshot = test::snapshot({Go(1).at({"main.main"}),
                                  Go(2).waits("finalizer wait").at({"runtime.gopark"}).system(),
                                  inlined, select, io, Go(10).status(Status::syscall)});
  snapshot.stopped = Nanos{1234567};
  snapshot.notes.add(Severity::warning, "a stack was cut", "goroutine 9", "raise the limit");
  return snapshot;
}

TEST(Traceback, IsGosFormat) {
  TracebackOptions options;
  test::expect_golden("traceback_at_end.txt", render_traceback(everything(), options));
  options.extras = Extras::in_place;
  test::expect_golden("traceback_in_place.txt", render_traceback(everything(), options));
  options.extras = Extras::nowhere;
  options.system = true;
  test::expect_golden("traceback_system.txt", render_traceback(everything(), options));
}

TEST(Traceback, HeadersAsGoroutineheaderPrintsThem) {
  const auto header = [](const Goroutine& goroutine) {
    const std::string text = one(goroutine);
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(header(Go(1).at({"app.f"})), "goroutine 1 [running]:");
  EXPECT_EQ(header(Go(1).waits("select").for_at_least(59)), "goroutine 1 [select]:");
  EXPECT_EQ(header(Go(1).waits("select").for_at_least(60)), "goroutine 1 [select, 1 minutes]:");
  EXPECT_EQ(header(Go(1).status(Status::runnable).for_at_least(90)), "goroutine 1 [runnable]:");
  EXPECT_EQ(header(Go(1).waits("chan send").status(Status::leaked)),
            "goroutine 1 [chan send (leaked)]:");
  auto bubble = Go(1).waits("sleep");
  bubble.raw().synctest_bubble = 4;
  EXPECT_EQ(header(bubble), "goroutine 1 [sleep (durable), synctest bubble 4]:");
  bubble.waits("chan receive (durable)");
  EXPECT_EQ(header(bubble), "goroutine 1 [chan receive (durable), synctest bubble 4]:");
  bubble.waits("chan receive");
  EXPECT_EQ(header(bubble), "goroutine 1 [chan receive, synctest bubble 4]:");
}

TEST(Traceback, LabelsAreQuotedWhereGoQuotes) {
  auto g = Go(1).waits("select").at({"app.f"});
  g.raw().labels = {{"h", "v1"}, {"ten ant", "a\"b"}, {"u", "é\x7f\x01\xff"}};
  EXPECT_THAT(one(g), StartsWith("goroutine 1 [select] {h: v1, \"ten ant\": \"a\\\"b\", u: "
                                 "\"\\u00e9\\u007f\\x01\\xff\"}:\n"));
}

TEST(Traceback, RuntimeFramesShowOnlyWhenAlone) {
  EXPECT_THAT(one(Go(1).waits("select").at({"runtime.gopark", "app.f"})), Not(HasSubstr("gopark")));
  EXPECT_THAT(one(Go(1).waits("select").at({"runtime.gopark", "runtime.goexit"})),
              HasSubstr("runtime.gopark()"));
}

TEST(Traceback, Panics) {
  const std::string text = one(Go(1).at({"app.deferred", "runtime.gopanic", "app.f"}));
  EXPECT_THAT(text, HasSubstr("\npanic()\n"));
}

TEST(Traceback, MainHasNoCreator) {
  EXPECT_THAT(one(Go(1).at({"main.main"}).made_by("runtime.main", 0)), Not(HasSubstr("created")));
  EXPECT_THAT(one(Go(2).at({"app.f"}).made_by("app.g", 0)), HasSubstr("created by app.g\n\t"));
}

TEST(Traceback, ElidesInTheMiddle) {
  TracebackOptions options;
  options.frames_each_end = 1;
  const auto snapshot = test::snapshot({Go(1).at({"app.a", "app.b", "app.c", "app.d"})});
  EXPECT_EQ(render_traceback(snapshot, options),
            "goroutine 1 [running]:\napp.a()\n\t/src/app/app.go:10 +0x10\n...2 frames elided...\n"
            "app.d()\n\t/src/app/app.go:13 +0x13\n");
}

TEST(Traceback, NamesCannotBreakLines) {
  const std::string text = one(Go(1).at({"app.f\ngoroutine 99 [running]:"}));
  EXPECT_THAT(text, HasSubstr("app.f\\x0agoroutine 99"));
}

TEST(SnapshotJson, HasEverything) {
  const std::string text = render_snapshot_json(everything());
  const auto json = nlohmann::json::parse(text);
  test::expect_golden("snapshot.json", json.dump(2) + "\n");
}

TEST(SnapshotJson, SharedStacksAreWrittenOnce) {
  auto a = Go(1).waits("select").at({"app.f"});
  auto b = Go(2).waits("select");
  b.raw().stack = a.raw().stack;
  const auto json = nlohmann::json::parse(render_snapshot_json(test::snapshot({a, b})));
  EXPECT_EQ(json["stacks"].size(), 1u);
  EXPECT_EQ(json["goroutines"][1]["stack"], 0);
}

}  // namespace
}  // namespace weir::report
