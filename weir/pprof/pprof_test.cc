#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "weir/bytes/inflate.h"
#include "weir/pprof/builder.h"
#include "weir/pprof/read.h"
#include "weir/pprof/write.h"

namespace weir::pprof {
namespace {

using namespace std::string_view_literals;

Result<Profile> parse(std::string_view bytes, const Limits& limits = {}) {
  return parse_profile(bytes::as_bytes(bytes), limits);
}

ErrorCode code_of(std::string_view bytes, const Limits& limits = {}) {
  const auto profile = parse(bytes, limits);
  EXPECT_FALSE(profile.has_value());
  return profile ? ErrorCode::usage : profile.error().code;
}

Profile sample_profile() {
  const ValueName types[] = {{"goroutine", "count"}, {"delay", "nanoseconds"}};
  Builder builder(types);
  const std::uint32_t mapping = builder.add_mapping({.start = 0x400000,
                                                     .limit = 0x500000,
                                                     .file = builder.intern("/bin/app"),
                                                     .build_id = builder.intern("abcd"),
                                                     .has_functions = true});
  const auto function = [&](std::string_view name, std::int64_t start) {
    return builder.intern_function(
        {builder.intern(name), builder.intern(name), builder.intern("/src/main.go"), start});
  };
  const Line inlined[] = {{function("main.inner", 3), 4}, {function("main.outer", 10), 12}};
  const Line plain[] = {{function("main.main", 20), 21}};
  const std::uint32_t leaf = builder.intern_location(0x401000, mapping, inlined);
  const std::uint32_t root = builder.intern_location(0x402000, mapping, plain);
  EXPECT_EQ(builder.intern_location(0x402000, mapping, plain), root);
  EXPECT_NE(builder.intern_location(0x402000, mapping, {}), root);
  const std::uint32_t stack[] = {leaf, root};
  const std::int64_t values[] = {7, -1}, other[] = {0, std::numeric_limits<std::int64_t>::min()};
  const Label labels[] = {{builder.intern("handler"), builder.intern("/x")},
                          {builder.intern("bytes"), 0, 4096, builder.intern("bytes")}};
  builder.add_sample({stack, values, labels});
  builder.add_sample({std::span(stack).subspan(1), other, {}});
  builder.add_sample({{}, values, {}});
  builder.profile().time_nanos = 1700000000000000000;
  builder.profile().period = 1;
  builder.profile().period_type = {builder.intern("goroutine"), builder.intern("count")};
  builder.profile().comments = {builder.intern("made by weir")};
  return builder.finish();
}

TEST(Pprof, ReadsBackWhatItWrites) {
  const Profile before = sample_profile();
  const auto after = parse(render_profile(before));
  ASSERT_TRUE(after.has_value()) << to_string(after.error());
  EXPECT_EQ(render_protobuf(*after), render_protobuf(before));
  ASSERT_EQ(after->samples.size(), 3u);
  const SampleView first = after->sample(0);
  EXPECT_EQ(std::vector(first.values.begin(), first.values.end()),
            (std::vector<std::int64_t>{7, -1}));
  ASSERT_EQ(first.locations.size(), 2u);
  const auto lines = after->lines_of(after->locations[first.locations[0]]);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(after->text(after->functions[lines[0].function].name), "main.inner");
  EXPECT_EQ(lines[1].line, 12);
  ASSERT_EQ(first.labels.size(), 2u);
  EXPECT_EQ(after->text(first.labels[0].text), "/x");
  EXPECT_EQ(first.labels[1].number, 4096);
  EXPECT_EQ(after->sample(1).values[1], std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(after->sample(2).locations.empty());
  EXPECT_EQ(after->text(after->mappings[0].build_id), "abcd");
  EXPECT_EQ(after->text(after->comments[0]), "made by weir");
}

// The same small profile in the shapes other writers use.
std::string foreign_profile(bool packed, bool tables_last, std::uint64_t location_id) {
  std::string samples, tables;
  protozero::pbf_writer sample_out(samples);
  {
    protozero::pbf_writer sample(sample_out, 2);
    if (packed) {
      const std::uint64_t ids[] = {location_id};
      const std::int64_t values[] = {5};
      sample.add_packed_uint64(1, std::begin(ids), std::end(ids));
      sample.add_packed_int64(2, std::begin(values), std::end(values));
    } else {
      sample.add_uint64(1, location_id);
      sample.add_int64(2, 5);
    }
    sample.add_fixed32(99, 7);  // fields that we do not know
    sample.add_string(98, "x");
  }
  protozero::pbf_writer out(tables);
  {
    protozero::pbf_writer type(out, 1);
    type.add_int64(1, 1);
    type.add_int64(2, 2);
  }
  {
    protozero::pbf_writer location(out, 4);
    location.add_uint64(3, 0x1234);
    location.add_uint64(1, 700);
  }
  for (const char* text : {"", "samples", "count"}) out.add_string(6, text);
  out.add_double(77, 1.5);
  return tables_last ? samples + tables : tables + samples;
}

TEST(Pprof, ReadsListsAndTablesInAnyShape) {
  for (const bool packed : {false, true}) {
    for (const bool tables_last : {false, true}) {
      const auto profile = parse(foreign_profile(packed, tables_last, 700));
      ASSERT_TRUE(profile.has_value()) << to_string(profile.error());
      EXPECT_EQ(profile->sample(0).values[0], 5);
      EXPECT_EQ(profile->locations[profile->sample(0).locations[0]].address, 0x1234u);
      EXPECT_EQ(profile->locations[0].mapping, none);
      EXPECT_EQ(profile->text(profile->sample_types[0].type), "samples");
    }
  }
}

TEST(Pprof, RefusesWhatDoesNotAddUp) {
  EXPECT_EQ(code_of(foreign_profile(true, false, 701)), ErrorCode::invalid);  // no such location
  EXPECT_EQ(code_of(foreign_profile(true, false, 0)), ErrorCode::invalid);
  const std::string two = foreign_profile(true, false, 700);
  EXPECT_EQ(code_of(two + two), ErrorCode::invalid);       // two locations of one id
  EXPECT_EQ(code_of("\x48\xff"sv), ErrorCode::truncated);  // a number that does not end
  EXPECT_EQ(code_of("\x32\x05"
                    "ab"sv),
            ErrorCode::truncated);  // a string that does not end
  EXPECT_EQ(code_of("\x32\x01"
                    "a"sv),
            ErrorCode::invalid);  // the first string is not empty
  EXPECT_EQ(code_of("\x32\x00\x12\x02\x10\x01"sv), ErrorCode::invalid);  // a value too many
  EXPECT_EQ(code_of("\x0b\x0c"sv), ErrorCode::invalid);                  // group: no such wire type
  EXPECT_EQ(code_of("\x60\x01\x70\x09"sv), ErrorCode::invalid);          // no such string
  EXPECT_EQ(code_of(""), ErrorCode::truncated);
  EXPECT_EQ(code_of("goroutine profile: total 5\n"), ErrorCode::unsupported);
  EXPECT_EQ(code_of("\x1f\x8b nonsense"), ErrorCode::invalid);
  const auto page = parse_profile(bytes::as_bytes("\n <!doctype html>\r\n<p>Log in\n"));
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().what, "this is text, not a profile: it begins with \"<!doctype html>\"");
}

TEST(Pprof, EveryPrefixIsRefusedOrWhole) {
  // Protobuf has no end mark: a cut between fields can look whole, but never invents anything.
  const std::string whole = render_protobuf(sample_profile());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto profile = parse(std::string_view(whole).substr(0, size));
    EXPECT_LE(profile ? profile->samples.size() : 0, 3u);
  }
}

TEST(Pprof, HoldsItsLimits) {
  const Profile profile = sample_profile();
  EXPECT_EQ(code_of(render_profile(profile), {.inflated = 50}), ErrorCode::limit);
  EXPECT_EQ(code_of(render_profile(profile), {.elements = 20}), ErrorCode::limit);
  EXPECT_TRUE(parse(render_profile(profile), {.elements = 100}).has_value());
  // Two bytes of file each: what they need in memory is many times that.
  std::string empty_samples("\x32\x00", 2);
  for (int i = 0; i < 1000; ++i) empty_samples += std::string_view("\x12\x00", 2);
  EXPECT_EQ(code_of(empty_samples, {.elements = 900}), ErrorCode::limit);
  EXPECT_EQ(parse(empty_samples)->samples.size(), 1000u);
}

}  // namespace
}  // namespace weir::pprof
