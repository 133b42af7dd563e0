#include "weir/analysis/attribution.h"

#include <gtest/gtest.h>

#include "tests/support/goroutines.h"

namespace weir::analysis {
namespace {

using test::Go;

Owner owner_of(const model::Goroutine& goroutine, const TestFacts& facts,
               std::vector<model::Goroutine> others = {}) {
  others.insert(others.begin(), goroutine);
  return attribute(test::snapshot(std::move(others)), facts).front();
}

TestFacts facts() {
  TestFacts made;
  made.test_of = {{Goid{10}, "TestA"}, {Goid{11}, "TestA/sub"}};
  made.before_first_test = {Goid{1}, Goid{2}};
  return made;
}

TEST(Attribution, DirectChildOfATest) {
  EXPECT_EQ(owner_of(Go(20).made_by("app.run", 11), facts()), (Owner{"TestA/sub", ""}));
}

TEST(Attribution, ThroughAGoroutineThatStillLives) {
  EXPECT_EQ(owner_of(Go(20).made_by("app.run", 15), facts(), {Go(15).made_by("app.pool", 10)}),
            (Owner{"TestA", ""}));
}

TEST(Attribution, ThroughAGoroutineThatIsGoneButWasSeen) {
  TestFacts seen = facts();
  seen.parent_of = {{Goid{15}, Goid{14}}, {Goid{14}, Goid{10}}};
  EXPECT_EQ(owner_of(Go(20).made_by("app.run", 15), seen), (Owner{"TestA", ""}));
}

TEST(Attribution, ThroughGosAncestors) {
  auto g = Go(20).made_by("app.run", 15);
  g.raw().ancestors = {{Goid{15}, {}}, {Goid{14}, {}}, {Goid{11}, {}}};
  EXPECT_EQ(owner_of(g, facts()), (Owner{"TestA/sub", ""}));
  g.raw().created.by = Goid{};  // before Go 1.21, ancestors are all there is
  EXPECT_EQ(owner_of(g, facts()), (Owner{"TestA/sub", ""}));
}

TEST(Attribution, TheTestItself) {
  EXPECT_EQ(owner_of(Go(10).made_by("testing.(*T).Run", 1), facts()), (Owner{"TestA", ""}));
}

TEST(Attribution, BeforeTheFirstTest) {
  EXPECT_EQ(owner_of(Go(2).made_by("app.init", 1), facts()), (Owner{"package init", ""}));
  EXPECT_EQ(owner_of(Go(20).made_by("app.pool", 2), facts()), (Owner{"package init", ""}));
}

TEST(Attribution, WhatCannotBeToldSaysWhy) {
  EXPECT_EQ(owner_of(Go(20).made_by("app.run", 15), facts()).why,
            "goroutine 15, its ancestor, ended before weir saw who started it");
  EXPECT_EQ(owner_of(Go(20).made_by("app.run", 0), facts()).why,
            "Go did not record who started it (it does from 1.21 on)");
  EXPECT_EQ(owner_of(Go(20).made_by("app.TestMain", 1), facts()).why,
            "started by goroutine 1 outside every test");
  TestFacts none;
  none.has_tests = false;
  EXPECT_EQ(owner_of(Go(20).made_by("main.main", 1), none).why, "not a test program");
}

TEST(Attribution, FallsBackToTheNameOfTheCreator) {
  EXPECT_EQ(owner_of(Go(20).made_by("app.TestB.func1", 0, "/src/app_test.go"), facts()).test,
            "TestB");
  EXPECT_EQ(owner_of(Go(20).made_by("app.TestB.func1", 0, "/src/app.go"), facts()).test, "");
  auto g = Go(20).made_by("app.run", 0);
  model::Frame frame;
  frame.function = "app.TestC";
  frame.file = "/src/c_test.go";
  g.raw().ancestors = {{Goid{15}, {frame}}};
  EXPECT_EQ(owner_of(g, facts()).test, "TestC");
}

TEST(Attribution, ACircleEnds) {
  TestFacts circle;
  circle.parent_of = {{Goid{5}, Goid{6}}, {Goid{6}, Goid{5}}};
  EXPECT_FALSE(owner_of(Go(20).made_by("app.run", 5), circle).why.empty());
}

TEST(TestFunction, NamesAsGoTestTakesThem) {
  EXPECT_EQ(test_function("app.TestA"), "TestA");
  EXPECT_EQ(test_function("github.com/x/app_test.TestA.func1.2"), "TestA");
  EXPECT_EQ(test_function("app.FuzzB"), "FuzzB");
  EXPECT_EQ(test_function("app.BenchmarkC"), "BenchmarkC");
  EXPECT_EQ(test_function("app.Test"), "Test");
  EXPECT_EQ(test_function("app.Test_x"), "Test_x");
  EXPECT_EQ(test_function("app.Testify"), "");
  EXPECT_EQ(test_function("app.(*Suite).TestA"), "");
  EXPECT_EQ(test_function("app.run"), "");
  EXPECT_EQ(test_function("testing.TestX"), "");
}

}  // namespace
}  // namespace weir::analysis
