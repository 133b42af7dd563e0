#include "weir/report/gate_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/gate_values.h"
#include "tests/support/golden.h"
#include "weir/report/finding_rows.h"

namespace weir::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(GateJson, HasEverything) {
  const json j = json::parse(render_gate_json(test::report_with_everything()));
  EXPECT_EQ(j["schema"], "weir.test/1");
  EXPECT_EQ(j["exit_code"], 1);
  EXPECT_EQ(j["findings"], 3);
  EXPECT_EQ(j["failing"], 2);
  test::expect_golden("gate.json", j.dump(2) + "\n");
}

TEST(Junit, Everything) {
  test::expect_golden("gate.junit.xml", render_junit(test::report_with_everything()));
}

TEST(Junit, TotalsAreWhatIsThere) {
  const std::string xml = render_junit(test::report_with_everything());
  const auto count = [&](std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = xml.find(what); at != std::string::npos; at = xml.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("<testcase "), 10u);
  EXPECT_EQ(count("<failure "), 7u);
  EXPECT_EQ(count("<error "), 1u);
  EXPECT_EQ(count("<skipped "), 1u);
  EXPECT_THAT(xml,
              HasSubstr("<testsuites name=\"weir\" tests=\"10\" failures=\"7\" errors=\"1\">"));
}

TEST(Junit, NoByteBreaksTheXml) {
  model::GateReport report;
  report.programs.resize(1);
  std::string& name = report.programs[0].package;
  for (int c = 0; c < 256; ++c) name += static_cast<char>(c);
  name += "\xef\xbf\xbe]]>";
  const std::string xml = render_junit(report);
  for (const char c : xml) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(byte >= 0x20 || c == '\n') << static_cast<int>(byte);
  }
  EXPECT_THAT(xml, HasSubstr("&quot;"));
  EXPECT_THAT(xml, HasSubstr("]]&gt;"));
  EXPECT_THAT(xml, Not(HasSubstr("\xef\xbf\xbe")));
}

model::GateReport report_with_faults() {
  model::GateReport report;
  report.explored = {{"app",
                      "TestA",
                      "controlled",
                      "",
                      7,
                      "fatal error",
                      "all <asleep>",
                      {"app.A", "/src/app/a.go", 5},
                      "TestA.schedule",
                      10,
                      10},
                     {"app", "TestB", "controlled", "", 9, "", "", {}, "", 0, 0},
                     {"app", "TestC", "not controlled", "it spins", 0, "", "", {}, "", 0, 0}};
  return report;
}

TEST(Explored, IsInEveryReport) {
  const model::GateReport report = report_with_faults();
  EXPECT_EQ(model::exit_code(report), 1);
  const json j = json::parse(render_gate_json(report));
  ASSERT_EQ(j["explored"].size(), 3u);
  EXPECT_EQ(j["explored"][0]["outcome"], "fatal error");
  EXPECT_EQ(j["explored"][0]["line"], 5);
  EXPECT_FALSE(j["explored"][1].contains("outcome"));
  EXPECT_EQ(j["explored"][2]["why"], "it spins");
  const std::string xml = render_junit(report);
  EXPECT_THAT(xml, HasSubstr("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
  EXPECT_THAT(xml, HasSubstr("fatal error: all &lt;asleep&gt;"));
  const json sarif = json::parse(render_sarif(report, {"1", "/src"}));
  ASSERT_EQ(sarif["runs"][0]["results"].size(), 1u);
  EXPECT_EQ(sarif["runs"][0]["results"][0]["ruleId"], "explore-fatal-error");
  EXPECT_EQ(sarif["runs"][0]["tool"]["driver"]["rules"].size(), 1u);
  EXPECT_THAT(render_github_annotations(report, "/src"), HasSubstr("file=app/a.go,line=5"));
}

model::HealthReport crossed_mutex(const std::string& package) {
  model::HealthReport health;
  health.kind = model::HealthReport::Kind::locks;
  health.package = package;
  health.source = package + ": mutex.pb.gz";
  health.measured = 3e6;
  health.limit = 1e6;
  health.crossed = true;
  health.count = 4;
  // The mean of the heaviest is within the limit.
  health.stacks = {
      {"sync.(*Mutex).Unlock", {"app.often"}, 3, 2'400'000, false, "", "/src/o.go", 3},
      {"sync.(*Mutex).Unlock", {"app.hold"}, 1, 9'600'000, true, "", "/src/h <.go", 9}};
  return health;
}

TEST(Health, IsInEveryReport) {
  model::GateReport report;
  model::HealthReport fine;
  fine.package = "app";
  report.health = {fine, crossed_mutex("app"), crossed_mutex("lib"), crossed_mutex("")};
  EXPECT_EQ(model::exit_code(report), 1);
  const std::string xml = render_junit(report);
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"app (profiles)\" tests=\"2\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"lib (profiles)\" tests=\"1\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("name=\"mutex profile: : mutex.pb.gz\""));
  EXPECT_THAT(xml,
              HasSubstr("<failure message=\"3ms is what a lock keeps others waiting on average; "
                        "the limit is 1ms\" type=\"profile-mutex\">lib: mutex.pb.gz"));
  EXPECT_THAT(xml, HasSubstr("app.often"));
  const json sarif = json::parse(render_sarif(report, {"1", "/src"}));
  const json& results = sarif["runs"][0]["results"];
  ASSERT_EQ(results.size(), 3u) << "what is within its limit is no result";
  EXPECT_EQ(results[1]["ruleId"], "profile-mutex");
  EXPECT_THAT(results[1]["message"]["text"].get<std::string>(), HasSubstr("(lib: mutex.pb.gz)"));
  const json& place = results[1]["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "h%20%3C.go");
  EXPECT_EQ(place["region"]["startLine"], 9);
  EXPECT_EQ(sarif["runs"][0]["tool"]["driver"]["rules"].size(), 1u);
  EXPECT_THAT(render_github_annotations(report, "/src"), HasSubstr("::error file=h <.go,line=9"));
}

TEST(Explored, WithoutAFaultNothingFails) {
  model::GateReport report = report_with_faults();
  report.explored.erase(report.explored.begin());
  EXPECT_EQ(model::exit_code(report), 0);
}

/// The properties that the standard requires, and the ranges that it gives (SARIF 2.1.0, 3.13 ff).
void expect_sarif(const json& j) {
  ASSERT_EQ(j.at("version"), "2.1.0");
  ASSERT_TRUE(j.at("runs").is_array());
  for (const json& run : j["runs"]) {
    const json& driver = run.at("tool").at("driver");
    EXPECT_TRUE(driver.at("name").is_string());
    std::vector<std::string> ids;
    for (const json& rule : driver.at("rules")) {
      ids.push_back(rule.at("id"));
      EXPECT_TRUE(rule.at("shortDescription").at("text").is_string());
    }
    for (const json& invocation : run.at("invocations"))
      EXPECT_TRUE(invocation.at("executionSuccessful").is_boolean());
    for (const json& result : run.at("results")) {
      EXPECT_FALSE(result.at("message").at("text").get<std::string>().empty());
      EXPECT_EQ(ids.at(result.at("ruleIndex")), result.at("ruleId"));
      EXPECT_THAT((std::set<std::string>{"none", "note", "warning", "error"}),
                  testing::Contains(result.at("level").get<std::string>()));
      for (const json& location : result.at("locations")) {
        if (!location.contains("physicalLocation")) continue;
        const json& physical = location["physicalLocation"];
        EXPECT_THAT(physical.at("artifactLocation").at("uri").get<std::string>(),
                    Not(HasSubstr(" ")));
        if (physical.contains("region")) {
          EXPECT_GE(physical["region"].at("startLine"), 1);
        }
      }
    }
  }
}

TEST(Sarif, IsValidAndComplete) {
  const json j = json::parse(render_sarif(test::report_with_everything(), {"0.1.0", "/src"}));
  expect_sarif(j);
  const json& results = j["runs"][0]["results"];
  ASSERT_EQ(results.size(), 7u);
  EXPECT_EQ(results[0]["ruleId"], "stuck");
  EXPECT_EQ(results[1]["ruleId"], "checkptr");
  EXPECT_EQ(results[1]["locations"][0]["physicalLocation"]["region"]["startLine"], 14);
  EXPECT_EQ(results[2]["ruleId"], "scheduler-threads") << "starved is no finding";
  const json& leak = results[3];
  EXPECT_EQ(leak["level"], "error");
  EXPECT_EQ(leak["baselineState"], "new");
  EXPECT_EQ(leak["partialFingerprints"]["weir/v1"], "94c55b8c83b23e0e");
  const json& place = leak["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "app/wo%20rk.go");
  EXPECT_EQ(place["artifactLocation"]["uriBaseId"], "SRCROOT");
  EXPECT_EQ(place["region"]["startLine"], 12);
  EXPECT_EQ(results[4]["level"], "note") << "known";
  EXPECT_EQ(results[4]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "file:///elsewhere/block.go");
  EXPECT_FALSE(results[4]["locations"][0]["physicalLocation"].contains("region")) << "line 0";
  EXPECT_EQ(results[5]["level"], "warning") << "only possible";
  EXPECT_EQ(j["runs"][0]["invocations"][0]["executionSuccessful"], false);
  EXPECT_EQ(j["runs"][0]["originalUriBaseIds"]["SRCROOT"]["uri"], "file:///src/");
  test::expect_golden("gate.sarif", j.dump(2) + "\n");
}

TEST(Sarif, AnEmptyReportIsValid) {
  expect_sarif(json::parse(render_sarif({}, {"", ""})));
}

TEST(Github, Everything) {
  test::expect_golden("gate.github.txt",
                      render_github_annotations(test::report_with_everything(), "/src"));
}

TEST(Github, EscapesAsTheRunnerUnescapes) {
  model::GateReport report;
  report.programs.resize(1);
  report.programs[0].findings = {test::guess()};
  report.programs[0].findings[0].stack = {{"app.f", "/src/a,b:c%d.go", 3}};
  const std::string text = render_github_annotations(report, "/src");
  EXPECT_THAT(text, StartsWith("::error file=a%2Cb%3Ac%25d.go,line=3,title=weir%3A 12 goroutines "
                               "lingering (possible)::It sleeps, <&\"> probably.%0ATwo lines, "
                               "100%25."));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << "one command, one line";
}

TEST(Github, TheWorstTenAndACount) {
  model::GateReport report;
  report.programs.resize(1);
  for (int i = 0; i < 13; ++i) {
    report.programs[0].findings.push_back(test::guess());
    report.programs[0].findings.back().fingerprint.id = std::to_string(i);
    report.programs[0].findings.back().known = i == 0;
  }
  const std::string text = render_github_annotations(report, "");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_THAT(text, HasSubstr("::notice title=weir::3 more findings not annotated"));
  EXPECT_THAT(text, Not(HasSubstr("::warning"))) << "the known one is not among the worst";
}

TEST(BestPlace, UserCodeUnderTheRootFirst) {
  model::Finding f = test::leak();
  f.stack.insert(f.stack.begin(), {"github.com/lib.F", "/mod/lib/lib.go", 5});
  EXPECT_EQ(best_place(f, "/src").file, "/src/app/wo rk.go");
  EXPECT_EQ(best_place(f, "").file, "/mod/lib/lib.go");
  f.stack = {{"net/http.(*persistConn).readLoop", "/go/src/net/http/transport.go", 1}};
  EXPECT_EQ(best_place(f, "/src").function, "example.com/app.start");
  f.created = {};
  EXPECT_EQ(best_place(f, "/src").file, "/go/src/net/http/transport.go");
}

TEST(Below, OnlyWholeElements) {
  EXPECT_EQ(below("/src/a.go", "/src"), "a.go");
  EXPECT_EQ(below("/src/a.go", "/src/"), "a.go");
  EXPECT_EQ(below("/srcx/a.go", "/src"), "/srcx/a.go");
  EXPECT_EQ(below("/src", "/src"), "/src");
}

}  // namespace
}  // namespace weir::report
