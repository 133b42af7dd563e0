#include "weir/report/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace weir::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t ms = 1'000'000;

std::string error_of(std::string_view yaml) {
  const auto settings = parse_settings(yaml, ".weir.yaml");
  return settings ? "" : to_string(settings.error());
}

TEST(Settings, EveryKey) {
  const auto s = parse_settings(
      "settle: 2s\nstuck-after: 1m30s\nmax-stop: 50ms\nstrict: true\noff: false\n"
      "baseline: known.json\ntop: 3\njunit: j.xml\nsarif: s.sarif\n"
      "ignore:\n  top: [a.b, 'c.*']\n  any: d.e\n  created-by:\n    - f.g\n  current: yes\n",
      ".weir.yaml");
  ASSERT_TRUE(s) << to_string(s.error());
  EXPECT_EQ(s->settle, Nanos{2000 * ms});
  EXPECT_EQ(s->stuck_after, Nanos{90'000 * ms});
  EXPECT_EQ(s->max_stop, Nanos{50 * ms});
  EXPECT_EQ(s->strict, true);
  EXPECT_EQ(s->off, false);
  EXPECT_EQ(s->baseline, "known.json");
  EXPECT_EQ(s->top, 3);
  EXPECT_EQ(s->junit, "j.xml");
  EXPECT_EQ(s->sarif, "s.sarif");
  EXPECT_THAT(s->ignore_top, ElementsAre("a.b", "c.*"));
  EXPECT_THAT(s->ignore_any, ElementsAre("d.e"));
  EXPECT_THAT(s->ignore_created_by, ElementsAre("f.g"));
  EXPECT_EQ(s->ignore_current, true);
}

TEST(Settings, NothingIsNothing) {
  for (const char* yaml : {"", "# only a comment\n", "---\n", "ignore:\n"})
    EXPECT_TRUE(parse_settings(yaml, "x")) << yaml;
}

TEST(Settings, ErrorsHaveLineAndSuggestion) {
  EXPECT_EQ(error_of("strict: true\nsetle: 1s\n"),
            "unknown key \"setle\"; did you mean \"settle\"?: .weir.yaml:2");
  EXPECT_THAT(error_of("ignore:\n  topp: x\n"), HasSubstr("did you mean \"top\"?: .weir.yaml:2"));
  EXPECT_THAT(error_of("completely-else: 1\n"), HasSubstr("weir knows off, settle, stuck-after"));
  EXPECT_EQ(error_of("settle: 5\n"),
            "\"settle\": \"5\" is no duration (the unit is missing); write 1s, 250ms, 1m30s: "
            ".weir.yaml:1");
  EXPECT_THAT(error_of("strict: maybe\n"), HasSubstr("must be true or false"));
  EXPECT_THAT(error_of("strict: true\nstrict: false\n"),
              HasSubstr("\"strict\" is there twice: .weir.yaml:2"));
  EXPECT_THAT(error_of("- a\n"), HasSubstr("must have keys at its top"));
  EXPECT_THAT(error_of("ignore: x\n"), HasSubstr("must have keys below it"));
  EXPECT_THAT(error_of("ignore:\n  top: {a: b}\n"), HasSubstr("must be a list of names"));
  EXPECT_THAT(error_of("a: b\n---\nc: d\n"), HasSubstr("more than one document"));
  EXPECT_THAT(error_of("# x\n---\nstrict: true\n---\r\n"), HasSubstr(".weir.yaml:4"));
  EXPECT_THAT(error_of("settle: [\n"), HasSubstr(".weir.yaml:"));
  EXPECT_THAT(error_of("top: -1\n"), HasSubstr("whole number"));
}

GateSettings from(const std::map<std::string, std::string>& env) {
  const auto s = settings_from_environment([&](const char* name) -> std::optional<std::string> {
    const auto found = env.find(name);
    return found == env.end() ? std::nullopt : std::optional(found->second);
  });
  EXPECT_TRUE(s) << to_string(s.error());
  return s.value_or(GateSettings{});
}

TEST(Environment, WeirAndItsAliases) {
  EXPECT_EQ(from({{"WEIR", "off"}}).off, true);
  EXPECT_EQ(from({{"WEIR", "ON"}}).off, false);
  EXPECT_EQ(from({{"GOLEAK_SKIP", "1"}}).off, true);
  EXPECT_EQ(from({{"GOLEAK_SKIP", "1"}, {"WEIR", "on"}}).off, false) << "weir's own is stronger";
  EXPECT_EQ(from({{"GOLEAK_TIMEOUT", "3s"}}).settle, Nanos{3000 * ms});
  EXPECT_EQ(from({{"GOLEAK_TIMEOUT", "3s"}, {"WEIR_SETTLE", "1s"}}).settle, Nanos{1000 * ms});
  EXPECT_EQ(from({{"WEIR_SETTLE", ""}}).settle, std::nullopt);
  EXPECT_EQ(from({}).off, std::nullopt);
}

TEST(Environment, NonsenseIsAnError) {
  const auto s = settings_from_environment([](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "WEIR_SETTLE") return "soon";
    return std::nullopt;
  });
  ASSERT_FALSE(s);
  EXPECT_THAT(to_string(s.error()), HasSubstr("reading WEIR_SETTLE: \"soon\" is no duration"));
}

TEST(Merge, LaterLayersWinAndListsAddUp) {
  GateSettings yaml;
  GateSettings env;
  GateSettings flags;
  yaml.settle = Nanos{1};
  yaml.strict = true;
  yaml.ignore_top = {"a"};
  env.settle = Nanos{2};
  env.ignore_top = {"b"};
  flags.strict = false;
  flags.ignore_top = {"c"};
  const model::GateOptions o = merge(yaml, env, flags);
  EXPECT_EQ(o.settle, Nanos{2});
  EXPECT_FALSE(o.strict);
  EXPECT_THAT(o.ignore.top, ElementsAre("a", "b", "c"));
  EXPECT_EQ(o.stuck_after, Nanos{10'000 * ms}) << "the default";
}

TEST(Duration, AsGoWritesThem) {
  EXPECT_EQ(*parse_duration("1s"), Nanos{1000 * ms});
  EXPECT_EQ(*parse_duration("1.5h"), Nanos{5'400'000 * ms});
  EXPECT_EQ(*parse_duration("1m30s"), Nanos{90'000 * ms});
  EXPECT_EQ(*parse_duration("250ms"), Nanos{250 * ms});
  EXPECT_EQ(*parse_duration("10µs"), Nanos{10'000});
  EXPECT_EQ(*parse_duration("0"), Nanos{0});
  for (const char* bad : {"", "1", "s", "1x", "-1s", "1..2s", "1s2", "99999999999h", "1e9s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace weir::report
