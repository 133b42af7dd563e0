#include "weir/report/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

TEST(JsonWriter, CommasAndNesting) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a", 1);
  json.key("b");
  json.begin_array();
  json.value("x");
  json.value(true);
  json.begin_object();
  json.end_object();
  json.end_array();
  json.member_if("empty", std::string());
  json.member("c", std::uint64_t{18446744073709551615u});
  json.end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",true,{}],"c":18446744073709551615})");
}

TEST(JsonWriter, Indented) {
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  json.key("a");
  json.begin_array();
  json.value(1);
  json.value(2);
  json.end_array();
  json.key("none");
  json.begin_array();
  json.end_array();
  json.end_object();
  EXPECT_EQ(out, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"none\": []\n}");
}

std::string as_json(std::string_view text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

TEST(JsonWriter, EscapesAndRepairs) {
  EXPECT_EQ(as_json("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
  EXPECT_EQ(as_json("µs €"), "\"µs €\"");
  EXPECT_EQ(as_json("a\xff"
                    "b"),
            "\"a\\ufffdb\"");
  EXPECT_EQ(as_json("\xc3"), "\"\\ufffd\"") << "cut in the middle";
  EXPECT_EQ(as_json("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"") << "a surrogate";
}

// The library is the oracle: whatever the bytes, it must read what was written.
TEST(JsonWriter, EveryPairOfBytesIsValidJson) {
  for (int a = 0; a < 256; ++a) {
    std::string text;
    for (int b = 0; b < 256; ++b) {
      text += static_cast<char>(a);
      text += static_cast<char>(b);
      text += ' ';
    }
    const std::string json = as_json(text);
    ASSERT_TRUE(nlohmann::json::accept(json)) << a;
    std::string repaired;
    append_utf8(repaired, text);
    ASSERT_EQ(nlohmann::json::parse(json).get<std::string>(), repaired) << a;
  }
}

TEST(TextSafety, PrintableHasNoControls) {
  EXPECT_EQ(printable("plain text ~"), "plain text ~");
  EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a\\x1b[31mb\\x0ac\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m µ"),
            "\\x9b31m µ");
  EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(printable("if \u202e admin\u2066 \u061c\u4e16"),
            "if \\u202e admin\\u2066 \\u061c\u4e16");
}

TEST(TextSafety, Utf8Length) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4u);
  EXPECT_EQ(utf8_length("\xc0\x80"), 0u) << "overlong";
  EXPECT_EQ(utf8_length("\xe0\x80\x80"), 0u) << "overlong";
  EXPECT_EQ(utf8_length("\xf4\x90\x80\x80"), 0u) << "above U+10FFFF";
}

}  // namespace
}  // namespace weir::report
