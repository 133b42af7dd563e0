#include "weir/analysis/top.h"

#include <gmock/gmock.h>

#include "weir/analysis/trend.h"

namespace weir::analysis {
namespace {

using model::Goroutine;
using model::Movement;
using model::Status;
using model::Tally;
using model::TallyEntry;
using model::TopBy;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t minute = 60'000'000'000;

Goroutine waiting(const std::string& reason, const std::vector<std::string>& functions,
                  const std::string& creator = "app.main") {
  model::Stack stack;
  for (const std::string& function : functions) {
    model::Frame frame;
    frame.function = function;
    frame.file = "/src/" + function + ".go";
    frame.line = 7;
    stack.push_back(frame);
  }
  Goroutine goroutine;
  goroutine.status = Status::waiting;
  goroutine.wait_reason = reason;
  goroutine.stack = std::make_shared<const model::Stack>(std::move(stack));
  goroutine.created.function = creator;
  return goroutine;
}

Tally tally(std::vector<TallyEntry> entries, std::optional<Nanos> at = {}) {
  Tally made;
  made.entries = std::move(entries);
  made.source.taken_at = at;
  return made;
}

Tally sample() {
  Goroutine labelled = waiting("select", {"runtime.selectgo", "app.serve"});
  labelled.labels = {{"tenant", "a"}};
  return tally({{waiting("chan receive", {"app.(*Pool).run", "app.start.func1"}), 5, Nanos{minute}},
                {waiting("chan receive", {"app.(*Pool).run", "app.start.func2"}), 2, {}},
                {labelled, 4, Nanos{2 * minute}},
                {[] {
                   Goroutine busy = waiting("", {"lib.spin"}, "lib.Go");
                   busy.status = Status::running;
                   return busy;
                 }(),
                 1,
                 {}}});
}

std::vector<std::pair<std::string, std::uint64_t>> rows(const TopQuery& query) {
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const model::TopRow& row : top(sample(), query).rows) found.emplace_back(row.key, row.count);
  return found;
}

TopQuery by(TopBy what, const std::string& label = "") {
  TopQuery query;
  query.by = what;
  query.label = label;
  return query;
}

TEST(Top, GroupsByWhatIsAsked) {
  using Pair = std::pair<std::string, std::uint64_t>;
  EXPECT_THAT(rows({}),
              ElementsAre(Pair("chan receive: app.(*Pool).run < app.start; created by app.main", 7),
                          Pair("select: app.serve; created by app.main", 4),
                          Pair("running: lib.spin; created by lib.Go", 1)));
  EXPECT_THAT(rows(by(TopBy::state)),
              ElementsAre(Pair("chan receive", 7), Pair("select", 4), Pair("running", 1)));
  EXPECT_THAT(rows(by(TopBy::function)),
              ElementsAre(Pair("app.(*Pool).run", 7), Pair("app.serve", 4), Pair("lib.spin", 1)));
  EXPECT_THAT(rows(by(TopBy::created)), ElementsAre(Pair("app.main", 11), Pair("lib.Go", 1)));
  EXPECT_THAT(rows(by(TopBy::package)), ElementsAre(Pair("app", 11), Pair("lib", 1)));
  EXPECT_THAT(rows(by(TopBy::label, "tenant")), ElementsAre(Pair("(none)", 8), Pair("a", 4)));
  EXPECT_EQ(rows(by(TopBy::stack)).size(), 4u);
}

TEST(Top, FiltersBeforeItCounts) {
  TopQuery query;
  query.filter.state = *Pattern::compile("^chan");
  EXPECT_EQ(top(sample(), query).chosen, 7u);
  EXPECT_EQ(top(sample(), query).total, 12u);
  query = {};
  query.filter.focus = *Pattern::compile("start");
  query.filter.ignore = *Pattern::compile("func2");
  EXPECT_EQ(top(sample(), query).chosen, 5u);
  query = {};
  query.filter.labels = {{"tenant", "a"}};
  EXPECT_EQ(top(sample(), query).chosen, 4u);
  query.filter.labels = {{"tenant", "b"}};
  EXPECT_EQ(top(sample(), query).chosen, 0u);
  query = {};
  query.filter.min_wait = Nanos{2 * minute};
  EXPECT_EQ(top(sample(), query).chosen, 4u) << "an unknown wait is not a long one";
}

TEST(Top, KnowsWhoIsParkedAndForHowLong) {
  const model::TopReport report = top(sample(), {});
  EXPECT_EQ(report.waiting, 11u);
  EXPECT_EQ(report.rows[0].longest_wait, Nanos{minute});
  EXPECT_EQ(report.rows[0].exemplar.stack->back().function, "app.start.func1");
  EXPECT_EQ(report.rows[2].longest_wait, std::nullopt);
}

TEST(Trend, SaysWhatMoved) {
  const auto make = [](std::uint64_t a, std::uint64_t b, std::uint64_t c, std::int64_t at) {
    std::vector<TallyEntry> entries;
    if (a > 0) entries.push_back({waiting("chan receive", {"app.a"}), a, {}});
    if (b > 0) entries.push_back({waiting("chan send", {"app.b"}), b, {}});
    if (c > 0) entries.push_back({waiting("select", {"app.c"}), c, {}});
    return tally(entries, Nanos{at});
  };
  const std::vector<Tally> looks{make(1, 5, 9, 1), make(2, 3, 9, minute),
                                 make(9, 0, 9, 2 * minute + 1)};
  const model::TrendReport report = trend(looks);
  ASSERT_EQ(report.rows.size(), 3u);
  EXPECT_EQ(report.rows[0].movement, Movement::grown);
  EXPECT_TRUE(report.rows[0].monotonic);
  EXPECT_THAT(report.rows[0].counts, ElementsAre(1, 2, 9));
  EXPECT_DOUBLE_EQ(*report.rows[0].per_minute, 4.0);
  EXPECT_EQ(report.rows[1].movement, Movement::gone);
  EXPECT_FALSE(report.rows[1].monotonic);
  EXPECT_EQ(report.rows[2].movement, Movement::same);
  EXPECT_THAT(report.notes.all(), IsEmpty());
}

TEST(Trend, LeavesCreatorsOutWhereOneDoesNotKnowThem) {
  Tally profile = tally({{waiting("chan receive", {"app.a"}, ""), 3, {}}});
  profile.knows.creator = false;
  const std::vector<Tally> looks{tally({{waiting("chan receive", {"app.a"}), 2, {}},
                                        {waiting("chan receive", {"app.a"}, "app.other"), 1, {}}}),
                                 profile};
  const model::TrendReport report = trend(looks);
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0].movement, Movement::same);
  EXPECT_EQ(report.rows[0].per_minute, std::nullopt);
}

}  // namespace
}  // namespace weir::analysis
