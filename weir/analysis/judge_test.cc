#include "weir/analysis/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/goroutines.h"
#include "weir/analysis/group.h"

namespace weir::analysis {
namespace {

using model::Baseline;
using model::ExecResult;
using model::Finding;
using test::Go;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Go worker(std::uint64_t id, std::uint64_t creator) {
  return Go(id)
      .waits("chan receive")
      .at({"runtime.gopark", "runtime.chanrecv2", "app.work", "runtime.goexit"})
      .made_by("app.start", creator)
      .on(model::WaitKind::channel_receive, {test::receives(0x10)});
}

TestFacts facts() {
  TestFacts made;
  made.test_of = {{Goid{10}, "TestA"}, {Goid{11}, "TestB"}};
  made.before_first_test = {Goid{1}, Goid{3}};
  return made;
}

TEST(Judge, GroupsAttributesAndExplains) {
  const auto snapshot = test::snapshot(
      {Go(1).at({"main.main"}), worker(20, 10), worker(21, 10).for_at_least(90), worker(22, 11)});
  const Judgement j = judge(snapshot, {}, facts());
  ASSERT_EQ(j.findings.size(), 1u);
  EXPECT_EQ(j.ignored, 1u);
  const Finding& f = j.findings[0];
  EXPECT_EQ(f.count, 3u);
  EXPECT_EQ(f.fingerprint.key, "chan receive: app.work; created by app.start");
  EXPECT_THAT(f.tests,
              ElementsAre(model::TestShare{"TestA", "", 2}, model::TestShare{"TestB", "", 1}));
  EXPECT_EQ(f.exemplar, Goid{21}) << "the longest waiting";
  EXPECT_EQ(f.oldest, Nanos{90'000'000'000});
  EXPECT_EQ(f.state, "chan receive");
  EXPECT_EQ(f.blocked_on, "receive on chan int 0x10 (unbuffered)");
  EXPECT_THAT(f.stack, ElementsAre(model::CodePlace{"app.work", "/src/app/app.go", 12}));
  EXPECT_EQ(f.created, (model::CodePlace{"app.start", "/src/app/app.go", 42}));
  EXPECT_EQ(f.cause.code, "range-never-closed");
  EXPECT_EQ(f.verdict, model::Verdict::lingering);
}

TEST(Judge, ProvedIsLeaked) {
  const auto snapshot = test::snapshot({Go(7).waits("select (no cases)").at({"app.f"})});
  EXPECT_EQ(judge(snapshot, {}, {}).findings.at(0).verdict, model::Verdict::leaked);
}

// `go object.method(x)` runs in a wrapper that the compiler made ("app.start.gowrap1"): a traceback
// doesn't show it, and the goroutine's function is the method.
TEST(Judge, WrappersAreNotShown) {
  auto snapshot =
      test::snapshot({Go(7).waits("chan send").at({"app.(*T).run", "app.start.gowrap1"})});
  model::Stack stack = *snapshot.goroutines[0].stack;
  stack.back().wrapper = true;
  snapshot.goroutines[0].stack = std::make_shared<const model::Stack>(stack);
  const auto judgement = judge(snapshot, {}, {});
  ASSERT_EQ(judgement.findings.size(), 1u);
  ASSERT_EQ(judgement.findings[0].stack.size(), 1u);
  EXPECT_EQ(judgement.findings[0].stack[0].function, "app.(*T).run");
}

TEST(Judge, LargestGroupFirstThenByKey) {
  const auto snapshot = test::snapshot(
      {Go(5).at({"app.b"}), Go(6).at({"app.a"}), Go(7).at({"app.c"}), Go(8).at({"app.c"})});
  std::vector<std::string> keys;
  for (const Group& g : group(snapshot, {0, 1, 2, 3})) keys.push_back(g.fingerprint.key);
  EXPECT_THAT(keys, ElementsAre("running: app.c", "running: app.a", "running: app.b"));
}

Finding finding(const char* key, std::uint64_t count = 1) {
  Finding made;
  made.fingerprint = {std::string("id-") + key, key};
  made.count = count;
  return made;
}

ExecResult program(std::string package, std::vector<Finding> findings) {
  ExecResult made;
  made.package = std::move(package);
  made.findings = std::move(findings);
  return made;
}

Baseline baseline(std::vector<model::BaselineEntry> entries) {
  return Baseline{std::move(entries)};
}

TEST(Verdict, NewFailsKnownDoesNotStrictFailsAll) {
  const Baseline known = baseline({{{"id-a", "a"}, {"p"}, 1, ""}});
  EXPECT_EQ(exit_code(put_together({program("p", {finding("a")})}, &known, false)), 0);
  EXPECT_EQ(exit_code(put_together({program("p", {finding("a"), finding("b")})}, &known, false)),
            1);
  EXPECT_EQ(exit_code(put_together({program("p", {finding("a")})}, &known, true)), 1);
  EXPECT_EQ(exit_code(put_together({program("p", {finding("a")})}, nullptr, false)), 1);
}

TEST(Verdict, SortsAndFindsWhatWasNotSeen) {
  const Baseline known = baseline({{{"id-a", "a"}, {"p"}, 1, ""}, {{"id-z", "z"}, {"p"}, 1, ""}});
  const auto report = put_together({program("q", {}), program("p", {finding("a")})}, &known, false);
  EXPECT_EQ(report.programs[0].package, "p");
  ASSERT_EQ(report.not_seen.size(), 1u);
  EXPECT_EQ(report.not_seen[0].fingerprint.key, "z");
  EXPECT_THAT(put_together({}, &known, false, false).not_seen, IsEmpty());
}

TEST(Baseline, UpdateKeepsNotesAndOtherPackages) {
  const Baseline old = baseline({{{"id-a", "a"}, {"p", "elsewhere"}, 1, "issue 12"},
                                 {{"id-gone", "gone"}, {"p"}, 1, "fixed?"},
                                 {{"id-other", "other"}, {"elsewhere"}, 2, "n"}});
  const auto report = put_together({program("p", {finding("a", 3), finding("b")})}, &old, false);
  const Baseline made = update_baseline(old, report);
  EXPECT_THAT(made.entries,
              ElementsAre(model::BaselineEntry{{"id-a", "a"}, {"elsewhere", "p"}, 3, "issue 12"},
                          model::BaselineEntry{{"id-b", "b"}, {"p"}, 1, ""},
                          model::BaselineEntry{{"id-other", "other"}, {"elsewhere"}, 2, "n"}));
}

TEST(Baseline, APackageThatWasNotCheckedKeepsItsEntries) {
  const Baseline old = baseline({{{"id-a", "a"}, {"p"}, 1, ""}});
  ExecResult blind = program("p", {});
  blind.not_checked = "permission denied";
  EXPECT_EQ(update_baseline(old, put_together({blind}, &old, false)).entries, old.entries);
}

}  // namespace
}  // namespace weir::analysis
