#include "weir/model/units.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

// The expected words are those of pprof's own measurement package for the same arguments.
TEST(Units, ScaleAsPprofDoes) {
  EXPECT_EQ(scaled_label(0, "nanoseconds", "auto"), "0");
  EXPECT_EQ(scaled_label(1'500'000'000, "nanoseconds", "auto"), "1.50s");
  EXPECT_EQ(scaled_label(10'000'000, "nanoseconds", "minimum"), "10ms");
  EXPECT_EQ(scaled_label(-1536, "bytes", "auto"), "-1.50kB");
  EXPECT_EQ(scaled_label(2048, "bytes", "kb"), "2kB");
  EXPECT_EQ(scaled_label(7, "count", "minimum"), "7");
  EXPECT_EQ(scaled_label(3, "widgets", "auto"), "3");
  EXPECT_EQ(scaled_label(5'400'000'000'000, "nanoseconds", "auto"), "1.50hrs");
  EXPECT_EQ(scaled_label(1, "nanoseconds", "s"), "0");
}

TEST(Units, PercentagesAsPprofPrintsThem) {
  EXPECT_EQ(percentage(1, 1), "  100%");
  EXPECT_EQ(percentage(1, 3), "33.33%");
  EXPECT_EQ(percentage(1, 1000), "  0.1%");
  EXPECT_EQ(percentage(0, 5), "    0%");
  EXPECT_EQ(percentage(1, 30'000'000), "3.3e-06%");
  EXPECT_EQ(percentage(5, 0), "    0%");
  EXPECT_EQ(percentage(-1, 4), "25.00%");
}

TEST(Units, ConvertWithinAKindOnly) {
  EXPECT_TRUE(units_convert("ms", "nanoseconds"));
  EXPECT_FALSE(units_convert("bytes", "nanoseconds"));
  EXPECT_TRUE(units_convert("count", "count"));
}

}  // namespace
}  // namespace weir::model
