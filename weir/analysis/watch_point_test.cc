#include "weir/analysis/watch_point.h"

#include <gmock/gmock.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using model::Tally;
using model::WatchPoint;
using test::Go;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Tally tally(std::vector<model::TallyEntry> entries) {
  Tally made;
  made.entries = std::move(entries);
  return made;
}

model::Goroutine served() {
  return Go(3)
      .waits("chan receive")
      .at({"runtime.gopark", "runtime.chanrecv1", "example.com/app/web.handle",
           "net/http.(*conn).serve"})
      .made_by("net/http.(*Server).Serve");
}

TEST(WatchPoint, Counts) {
  const WatchPoint point = watch_point(
      tally({{served(), 40, {}, {}}, {Go(4).at({"main.spin"}).made_by("main.main"), 2, {}, {}}}),
      Nanos{7}, {});
  EXPECT_EQ(point.at, Nanos{7});
  EXPECT_EQ(point.total, 42u);
  EXPECT_EQ(point.parked, 40u) << "what runs is not parked";
  EXPECT_EQ(point.connections, 40u);
  EXPECT_THAT(point.groups, SizeIs(2));
  ASSERT_THAT(point.lines, SizeIs(1));
  const model::WatchLine& line = point.lines.begin()->second;
  EXPECT_EQ(line.count, 40u);
  EXPECT_EQ(line.place.function, "example.com/app/web.handle") << "the innermost of the user's";
}

TEST(WatchPoint, KnowsTheUsersOwnCode) {
  const auto own = [](const std::vector<std::string>& packages) {
    const Tally one = tally({{served(), 1, {}, {}}});
    return watch_point(one, {}, packages).groups.begin()->second.own;
  };
  EXPECT_TRUE(own({}));
  EXPECT_TRUE(own({"example.com/app"}));
  EXPECT_TRUE(own({"example.com/app/web"}));
  EXPECT_FALSE(own({"example.com/ap"}));
  EXPECT_FALSE(own({"example.com/other", "net/httpx"}));
}

TEST(WatchPoint, AProfileOfDebug1TellsNoWaits) {
  Tally one = tally({{served(), 5, {}, {}}});
  one.knows = {.state = false, .wait = false, .creator = false};
  const WatchPoint point = watch_point(one, {}, {});
  EXPECT_EQ(point.total, 5u);
  EXPECT_EQ(point.parked, 0u);
  EXPECT_THAT(point.lines, IsEmpty());
}

WatchPoint groups(const std::map<std::string, std::uint64_t>& counts) {
  WatchPoint point;
  for (const auto& [key, count] : counts) {
    point.groups[key].key = key;
    point.groups[key].count = count;
  }
  return point;
}

TEST(WatchChanges, GrowthFirst) {
  std::vector<std::string> order;
  for (const auto& change : changes(groups({{"a", 5}, {"b", 1}, {"gone", 9}, {"same", 4}}),
                                    groups({{"a", 7}, {"b", 9}, {"new", 3}, {"same", 4}})))
    order.push_back(change.fingerprint.key);
  EXPECT_THAT(order, ElementsAre("b", "new", "a", "gone"));
}

TEST(RestartSign, TellsARestartFromAQuietHour) {
  model::Source before, now;
  EXPECT_EQ(restart_sign(before, 100, now, 100, true), "");
  EXPECT_EQ(restart_sign(before, 100, now, 10, false), "") << "it was there all the time";
  EXPECT_NE(restart_sign(before, 100, now, 49, true), "");
  EXPECT_EQ(restart_sign(before, 100, now, 50, true), "");
  before.pid = 1;
  EXPECT_EQ(restart_sign(before, 100, now, 100, false), "") << "one of them is not known";
  now.pid = 2;
  EXPECT_NE(restart_sign(before, 100, now, 100, false), "");
  now.pid = 1;
  before.build_id = "a";
  now.build_id = "b";
  EXPECT_NE(restart_sign(before, 100, now, 100, false), "");
}

}  // namespace
}  // namespace weir::analysis
