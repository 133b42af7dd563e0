// Prometheus' text format and OTLP for statuses that real runs seldom have; what runs have is in
// tests/live/watch_outputs_test.cc.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "weir/report/otlp.h"
#include "weir/report/prometheus.h"

namespace weir::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

model::WatchStatus status() {
  model::WatchStatus made;
  made.target = "a\"b\\c\nd\xff";
  made.started = Nanos{1'000'000'000};
  made.at = Nanos{2'500'000'000};
  made.seen = true;
  made.looks = 3;
  made.total = 1ull << 60;
  made.groups.push_back({{"0123", "select: main.f"}, 7});
  made.alarms["monotonic"] = 2;
  return made;
}

TEST(Prometheus, EscapesLabels) {
  const std::string page = render_prometheus({status()});
  EXPECT_THAT(page, HasSubstr("weir_target_up{target=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\",id=\"0123\",key=\"select: main.f\"} 7\n"));
  EXPECT_THAT(page, HasSubstr("\",rule=\"monotonic\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("weir_last_look_timestamp_seconds{target"));
  EXPECT_THAT(page, HasSubstr("} 2.500\n"));
}

TEST(Prometheus, WhatIsNotKnownIsAbsent) {
  model::WatchStatus never;
  never.target = "x";
  const std::string page = render_prometheus({never});
  EXPECT_THAT(page, HasSubstr("weir_target_up{target=\"x\"} 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("weir_goroutines{")));
  EXPECT_THAT(page, Not(HasSubstr("timestamp_seconds{")));
}

TEST(Otlp, NumbersAreStrings) {
  const json document = json::parse(render_otlp_metrics(status(), "9"));
  const json& metrics = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
  EXPECT_EQ(metrics[1]["name"], "weir.goroutines");
  EXPECT_EQ(metrics[1]["gauge"]["dataPoints"][0]["asInt"], "1152921504606846976");
  EXPECT_EQ(metrics[1]["gauge"]["dataPoints"][0]["timeUnixNano"], "2500000000");
  EXPECT_EQ(render_otlp_metrics({}, "9"), "") << "no look yet";
}

TEST(Otlp, WhatIsMissedHasNoGoroutines) {
  model::WatchStatus missed = status();
  missed.seen = false;
  EXPECT_THAT(render_otlp_metrics(missed, "9"), Not(HasSubstr("weir.goroutines")));
}

TEST(Otlp, RefusalsAreRead) {
  EXPECT_EQ(otlp_refusal(""), "");
  EXPECT_EQ(otlp_refusal("[]"), "");
  EXPECT_EQ(otlp_refusal("{\"partialSuccess\":{}}"), "");
  EXPECT_EQ(otlp_refusal("{\"partialSuccess\":{\"rejectedDataPoints\":\"0\"}}"), "");
  EXPECT_EQ(otlp_refusal(R"({"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"old"}})"),
            "3 refused: old");
  EXPECT_EQ(otlp_refusal("{\"partialSuccess\":{\"rejectedDataPoints\":{}}}"), "{} refused: ");
}

}  // namespace
}  // namespace weir::report
