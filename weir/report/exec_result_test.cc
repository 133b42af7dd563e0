#include "weir/report/exec_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gate_values.h"
#include "weir/report/baseline.h"

namespace weir::report {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view json) {
  const auto result = parse_exec_result(json, "r.json");
  return result ? "" : to_string(result.error());
}

TEST(ExecResult, ComesBackAsItWas) {
  const model::ExecResult written = test::program_with_everything();
  const std::string json = render_exec_result(written);
  const auto read = parse_exec_result(json, "r.json");
  ASSERT_TRUE(read) << to_string(read.error());
  // Every member is in the text, so equal texts are equal values.
  EXPECT_EQ(render_exec_result(*read), json);
  EXPECT_EQ(read->findings.size(), written.findings.size());
  EXPECT_EQ(read->findings[0].stack, written.findings[0].stack);
  EXPECT_EQ(read->findings[0].tests, written.findings[0].tests);
  EXPECT_EQ(read->findings[0].cause.certainty, written.findings[0].cause.certainty);
  EXPECT_EQ(read->stuck->lines[0].goroutines, written.stuck->lines[0].goroutines);
  EXPECT_EQ(read->counts[0].peak, written.counts[0].peak);
  EXPECT_EQ(read->notes.all()[0].count, written.notes.all()[0].count);
  EXPECT_EQ(read->settled, written.settled);
}

TEST(ExecResult, EveryPrefixIsAnErrorAndNeverACrash) {
  const std::string json = render_exec_result(test::program_with_everything());
  for (std::size_t n = 0; n + 2 < json.size(); ++n)
    ASSERT_FALSE(parse_exec_result(std::string_view(json).substr(0, n), "r")) << n;
}

TEST(ExecResult, ErrorsNameTheMember) {
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/1\"}"), HasSubstr("package is missing"));
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/1\",\"package\":1}"),
              HasSubstr("package is not a string"));
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/1\",\"package\":\"p\",\"findings\":[{\"count\":-1,"
                       "\"fingerprint\":\"x\"}]}"),
              HasSubstr("findings[0].count is not a whole number of at least 0"));
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/1\",\"package\":\"p\",\"findings\":[7]}"),
              HasSubstr("findings[0] is not an object"));
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/1\",\"package\":\"p\",\"findings\":[{"
                       "\"fingerprint\":\"x\",\"cause\":{\"certainty\":\"sure\"}}]}"),
              HasSubstr("findings[0].cause.certainty has the unknown value \"sure\""));
  EXPECT_THAT(error_of("{\"schema\":\"weir.exec/9\"}"),
              HasSubstr("the schema is \"weir.exec/9\", and this weir reads \"weir.exec/1\""));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{\n  \"schema\": nope}"), HasSubstr("line 2"));
  EXPECT_THAT(error_of("{\"schema\":"), HasSubstr("ends too early"));
}

TEST(ExecResult, UnknownMembersAreSkipped) {
  EXPECT_TRUE(parse_exec_result(R"({"schema":"weir.exec/1","package":"p","new":{"a":[1]}})"));
}

TEST(Baseline, ReadsWellAndComesBack) {
  model::Baseline baseline;
  baseline.entries = {{{"94c55b8c83b23e0e", "chan receive: b"}, {"p", "q"}, 3, "issue 12"},
                      {{"fdbdf6ac4fc52e7f", "chan receive: a"}, {"p"}, 1, ""}};
  const std::string json = render_baseline(baseline);
  EXPECT_EQ(json,
            "{\n  \"schema\": \"weir.baseline/1\",\n  \"known\": [\n"
            "    {\n      \"fingerprint\": \"fdbdf6ac4fc52e7f\",\n"
            "      \"key\": \"chan receive: a\",\n      \"packages\": [\n        \"p\"\n      ],\n"
            "      \"count\": 1,\n      \"note\": \"\"\n    },\n"
            "    {\n      \"fingerprint\": \"94c55b8c83b23e0e\",\n"
            "      \"key\": \"chan receive: b\",\n"
            "      \"packages\": [\n        \"p\",\n        \"q\"\n      ],\n"
            "      \"count\": 3,\n      \"note\": \"issue 12\"\n    }\n  ]\n}\n");
  const auto read = parse_baseline(json, "b.json");
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(render_baseline(*read), json);
  EXPECT_EQ(read->entries[1].note, "issue 12");
}

TEST(Baseline, ErrorsAreClear) {
  const auto error = [](std::string_view json) {
    const auto result = parse_baseline(json, ".weir-baseline.json");
    return result ? "" : to_string(result.error());
  };
  EXPECT_EQ(error(R"({"schema":"weir.baseline/1","known":[{"fingerprint":"xyz"}]})"),
            "reading the baseline: known[0].fingerprint is not 16 hex digits (0-9, a-f): "
            ".weir-baseline.json");
  EXPECT_THAT(error(R"({"schema":"weir.baseline/1","known":[{"fingerprint":"94c55b8c83b23e0e"},
                        {"fingerprint":"94c55b8c83b23e0e"}]})"),
              HasSubstr("known[1].fingerprint is there twice"));
  EXPECT_THAT(error(R"({"schema":"weir.baseline/1"})"), HasSubstr("known is missing"));
  EXPECT_THAT(error(R"({"schema":"weir.baseline/1","known":{}})"),
              HasSubstr("known is not an array"));
  EXPECT_THAT(error("<<<<<<< HEAD\n"), HasSubstr("line 1, column 1"));
}

}  // namespace
}  // namespace weir::report
