#include "weir/report/watch_settings.h"

#include <gmock/gmock.h>

#include "weir/report/settings.h"

namespace weir::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(std::string_view yaml) {
  const auto settings = parse_watch_settings(yaml, ".weir.yaml");
  return settings ? "" : to_string(settings.error());
}

TEST(WatchSettings, Defaults) {
  for (const char* yaml : {"", "strict: true\n", "watch:\n"}) {
    const auto settings = parse_watch_settings(yaml, ".weir.yaml");
    ASSERT_TRUE(settings) << to_string(settings.error());
    EXPECT_EQ(settings->every, std::nullopt);
    EXPECT_EQ(settings->rules.baseline, 3u);
    EXPECT_EQ(settings->rules.parked_growth, 10);
    EXPECT_EQ(settings->rules.connections, 10);
    EXPECT_EQ(settings->rules.one_line, 10'000u);
    EXPECT_EQ(settings->rules.monotonic, 3u);
    EXPECT_THAT(settings->rules.own_packages, IsEmpty());
  }
}

TEST(WatchSettings, EveryKey) {
  const char* yaml =
      "strict: true\nwatch:\n  every: 30s\n  for: 2h\n  db: h.db\n  baseline: 5\n  noise: 2.5\n"
      "  own-packages: [example.com/app]\n  parked-growth: 25%\n  http-conns: off\n"
      "  own-growth: 4\n  one-line: 500\n  monotonic: off\n  webhook: http://a\n  otlp: http://b\n"
      "  metrics: :9100\n";
  const auto settings = parse_watch_settings(yaml, ".weir.yaml");
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->every, Nanos{30'000'000'000});
  EXPECT_EQ(settings->lasts, Nanos{7'200'000'000'000});
  EXPECT_EQ(settings->database, "h.db");
  EXPECT_EQ(settings->rules.baseline, 5u);
  EXPECT_EQ(settings->rules.noise, 2.5);
  EXPECT_THAT(settings->rules.own_packages, ElementsAre("example.com/app"));
  EXPECT_EQ(settings->rules.parked_growth, 25);
  EXPECT_EQ(settings->rules.connections, std::nullopt);
  EXPECT_EQ(settings->rules.own_growth, 4u);
  EXPECT_EQ(settings->rules.one_line, 500u);
  EXPECT_EQ(settings->rules.monotonic, std::nullopt);
  EXPECT_EQ(settings->webhook, "http://a");
  EXPECT_EQ(settings->otlp, "http://b");
  EXPECT_EQ(settings->metrics, ":9100");
  EXPECT_TRUE(parse_settings(yaml, ".weir.yaml")) << "the gate leaves the section alone";
}

TEST(WatchSettings, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error_of("watch:\n  evry: 1s\n"),
              AllOf(HasSubstr(".weir.yaml:2"), HasSubstr("did you mean \"every\"?")));
  EXPECT_THAT(error_of("watch:\n  http-conns: ten\n"), HasSubstr("in per cent, or off"));
  EXPECT_THAT(error_of("watch:\n  http-conns: -1%\n"), HasSubstr("at least 0"));
  EXPECT_THAT(error_of("watch:\n  monotonic: 1\n"), HasSubstr("at least 2"));
  EXPECT_THAT(error_of("watch: 5\n"), HasSubstr("keys below it"));
  EXPECT_THAT(error_of("watch:\n  every: soon\n"), HasSubstr("no duration"));
}

}  // namespace
}  // namespace weir::report
