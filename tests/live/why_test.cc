// `weir why` on a program that says itself which of its goroutines are in a circle.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::BuildOptions;
using test_support::Child;
using test_support::Completed;

class WhyTest : public test_support::GoTest {};

using Circle = std::vector<std::uint64_t>;

/// The circle from its smallest number on, so that it does not matter where one begins.
Circle turned(Circle circle) {
  std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
  return circle;
}

/// The goroutines of the lines "WORD name goid…".
std::vector<Circle> said(const std::string& out, const std::string& word) {
  std::vector<Circle> circles;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, name;
    words >> first >> name;
    if (first != word) continue;
    Circle circle;
    for (std::uint64_t id; words >> id;) circle.push_back(id);
    circles.push_back(turned(circle));
  }
  std::sort(circles.begin(), circles.end());
  return circles;
}

std::vector<Circle> found(const json& report) {
  std::vector<Circle> circles;
  for (const json& cycle : report.at("cycles")) {
    Circle circle;
    for (const json& step : cycle.at("steps")) circle.push_back(step.at("goroutine"));
    circles.push_back(turned(circle));
  }
  std::sort(circles.begin(), circles.end());
  return circles;
}

Result<json> why(const std::string& source, int expected_code) {
  WEIR_TRY(const Completed done, test_support::run({WEIR_BINARY, "why", "-json", source}, {}));
  if (done.exit.code != expected_code)
    return fail(ErrorCode::invalid, to_string(done.exit) + ": " + done.err);
  json report = json::parse(done.out, nullptr, false);
  if (report.is_discarded()) return fail(ErrorCode::invalid, "no JSON: " + done.out);
  report.erase("source");
  report.erase("looked_again_ns");
  for (json& object : report.at("objects"))  // the time that passed between two looks
    for (json& outside : object.at("outside")) outside.erase("fires_in_ns");
  return report;
}

TEST_P(WhyTest, FindsEveryCircleAndNoOther) {
  for (const BuildOptions& options :
       {BuildOptions{}, {.ldflags = "-s -w"}, {.ldflags = "-s -w", .pie = true}}) {
    SCOPED_TRACE(to_string(options));
    WEIR_BUILD_GO(program, go(), "circles", options);
    for (const bool alive : {false, true}) {
      std::vector<std::string> command{program};
      if (alive) command.push_back("-alive");
      // A word left on a stack that can go on may hide a circle, so not every run need show all of
      // them; what no run may do is show one that is not there.
      std::size_t most = 0;
      for (int run = 0; run < 5 && most < 7; ++run) {
        WEIR_ASSERT_OK(Child child, Child::start(command));
        WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
        WEIR_ASSERT_OK(const json report, why(std::to_string(child.pid()), 1));
        const auto expected = said(child.out(), "case"), circles = found(report);
        EXPECT_THAT(expected, testing::IsSupersetOf(circles));
        EXPECT_EQ(report.at("deadlock"), "partial") << "the sleeper can go on";
        most = std::max(most, circles.size());
      }
      EXPECT_EQ(most, 7u);
    }
  }
}

TEST_P(WhyTest, SaysTheSameOfARecording) {
  WEIR_BUILD_GO(program, go(), "circles", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  std::string folder = (fs::temp_directory_path() / "weir-why-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string recording = folder + "/x.weir", pid = std::to_string(child.pid());
  WEIR_ASSERT_OK(const Completed done,
                 test_support::run({WEIR_BINARY, "dump", "-o", recording, pid}, {}));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  const auto live = why(pid, 1), recorded = why(recording, 1);
  const std::vector<std::string> draw{WEIR_BINARY, "why", "-svg", folder + "/x.svg", recording};
  WEIR_ASSERT_OK(const Completed no_dot,
                 test_support::run(draw, {.environment = {"PATH=" + folder}}));
  EXPECT_EQ(no_dot.exit.code, 2);
  EXPECT_NE(no_dot.err.find("Graphviz"), std::string::npos) << no_dot.err;
  EXPECT_FALSE(fs::exists(folder + "/x.svg"));
  if (const auto dot = test_support::run({"dot", "-V"}); dot && dot->exit.code == 0) {
    WEIR_ASSERT_OK(const Completed drawn, test_support::run(draw));
    EXPECT_EQ(drawn.exit.code, 1) << drawn.err;
    std::stringstream svg;
    svg << std::ifstream(folder + "/x.svg").rdbuf();
    EXPECT_NE(svg.str().find("sync.Mutex"), std::string::npos) << svg.str().substr(0, 2000);
  }
  fs::remove_all(folder);
  ASSERT_TRUE(live && recorded);
  EXPECT_EQ(*live, *recorded);
}

/// The one object that this goroutine alone waits for.
json object_of(const json& report, std::uint64_t waiter) {
  for (const json& object : report.at("objects"))
    if (object.at("waiters") == json::array({waiter})) return object;
  return {};
}

/// Others may have its address on their stacks, too.
void expect_owner(const json& lock, std::uint64_t owner, const std::string& function) {
  json owners = json::array();
  for (const json& waker : lock.at("wakers"))
    if (waker.at("role") == "likely_owner") owners.push_back(waker);
  ASSERT_EQ(owners.size(), 1u) << lock.dump(1);
  EXPECT_EQ(owners[0].at("goroutine"), owner);
  EXPECT_THAT(owners[0].at("because").get<std::string>(), testing::HasSubstr(function));
}

TEST_P(WhyTest, SaysWhoHoldsALockAndWhatElseMayWake) {
  WEIR_BUILD_GO(program, go(), "circles");
  WEIR_ASSERT_OK(Child child, Child::start({program, "-alive"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const json report, why(std::to_string(child.pid()), 1));
  std::size_t named = 0;
  for (const json& cycle : report.at("cycles"))
    for (const json& step : cycle.at("steps"))
      if (step.value("next_because", "").find("between Lock (main.go:") != std::string::npos)
        ++named;
  EXPECT_GE(named, 7u) << "both of AB-BA, twice; the producer; two that lock again\n"
                       << report.at("cycles").dump(1);
  std::map<std::string, Circle> free;  // unturned: in the order of the program
  std::istringstream lines(child.out());
  for (std::string line, word, name; std::getline(lines, line);) {
    std::istringstream words(line);
    words >> word >> name;
    for (std::uint64_t id; words >> id;) free[name].push_back(id);
  }
  expect_owner(object_of(report, free["timed"].at(0)), free["timed"].at(1), "main.holdUntil");
  expect_owner(object_of(report, free["bystander"].at(0)), free["bystander"].at(1), "main.sleepIn");
  const json by_timer = object_of(report, free["timed"].at(1)).at("outside");
  ASSERT_FALSE(by_timer.empty());
  EXPECT_EQ(by_timer[0].at("kind"), "timer");
  EXPECT_EQ(by_timer[0].at("text"), "timer that calls main.timed.func1");
  const json by_poller = object_of(report, free["open"].at(0)).at("outside");
  ASSERT_EQ(by_poller.size(), 1u);
  EXPECT_EQ(by_poller[0].at("kind"), "poller");
  const json by_variable = object_of(report, free["open"].at(1)).at("outside");
  ASSERT_FALSE(by_variable.empty()) << report.dump(1);
  EXPECT_EQ(by_variable[0].at("text"), "global main.wanted");
}

TEST_P(WhyTest, ACircleAloneIsAGlobalDeadlock) {
  WEIR_BUILD_GO(program, go(), "circles", {.cgo = true});
  // Not asleep for the runtime: its own check would end the program.
  WEIR_ASSERT_OK(Child child, Child::start({program, "-only", "locks", "-listen"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const json report, why(std::to_string(child.pid()), 1));
  EXPECT_EQ(report.at("deadlock"), "global");
  EXPECT_THAT(report.at("runtime_silent").get<std::string>(), testing::HasSubstr("os/signal"));
  EXPECT_EQ(report.at("runtime_silent_because"), json::array({"signals"}));
}

TEST_P(WhyTest, WhatCanGoOnIsNoDeadlock) {
  WEIR_BUILD_GO(program, go(), "circles");
  WEIR_ASSERT_OK(Child child, Child::start({program, "-only", "sleeper"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const json report, why(std::to_string(child.pid()), 0));
  const auto free = said(child.out(), "free");
  ASSERT_EQ(free.size(), 1u);
  bool seen = false;
  for (const json& object : report.at("objects")) {
    const auto& waiters = object.at("waiters");
    if (waiters != json::array({free[0][0], free[0][1]})) continue;
    seen = true;
    ASSERT_EQ(object.at("wakers").size(), 1u);
    EXPECT_EQ(object.at("wakers")[0].at("goroutine"), free[0][2]);
  }
  EXPECT_TRUE(seen) << report.dump(1);
}

// Each was once called a deadlock: of healthy servers, whoever looked at one was told so.
TEST_P(WhyTest, WhatOnlyLooksLikeADeadlockIsNone) {
  for (const BuildOptions& options : {BuildOptions{}, {.ldflags = "-s -w"}}) {
    WEIR_BUILD_GO(program, go(), "awaits.go", options);
    for (const std::string wait : {"signal", "started", "server", "far"}) {
      SCOPED_TRACE(wait + ", " + to_string(options));
      WEIR_ASSERT_OK(Child child,
                     Child::start({program, wait}, {.environment = {"GODEBUG=asyncpreemptoff=1"}}));
      WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
      WEIR_ASSERT_OK(const json report, why(std::to_string(child.pid()), 0));
      EXPECT_EQ(report.at("deadlock"), "none") << report.dump(1);
      const json& cycles = report.at("cycles");
      ASSERT_EQ(cycles.size(), wait == "server" ? 1u : 0u) << cycles.dump(1);
      if (cycles.empty()) continue;
      EXPECT_EQ(cycles[0].at("open"), true) << "the variable leads there";
      EXPECT_EQ(cycles[0].at("certainty"), "possible");
    }
  }
}

// By the whole heap, and not by three steps of it.
TEST_P(WhyTest, AProofProvesCirclesOrOpensThem) {
  WEIR_BUILD_GO(program, go(), "circles");
  WEIR_ASSERT_OK(Child child, Child::start({program, "-alive"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const Completed done,
                 test_support::run({WEIR_BINARY, "why", "-proof", "-json", "-max-stop", "10s",
                                    std::to_string(child.pid())},
                                   {}));
  ASSERT_EQ(done.exit.code, 1) << done.err;
  const json report = json::parse(done.out);
  std::map<std::uint64_t, std::string> verdicts;
  for (const json& one : report.at("proof").at("goroutines"))
    verdicts[one.at("goroutine")] = one.at("verdict");
  std::map<std::string, int> certain;
  for (const json& cycle : report.at("cycles")) {
    bool all = true;
    for (const json& step : cycle.at("steps"))
      all = all && verdicts.at(step.at("goroutine")) == "proved";
    EXPECT_EQ(cycle.at("certainty") == "proved", all) << cycle.dump(1);
    ++certain[cycle.at("certainty")];
  }
  EXPECT_GE(certain["proved"], 4) << "those whose channels and locks are no variables";
  EXPECT_GE(certain["likely"], 1) << "package variables lead to the others' locks";
}

WEIR_FOR_EACH_GO(WhyTest);

}  // namespace
}  // namespace weir::live
