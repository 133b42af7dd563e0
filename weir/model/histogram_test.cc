#include "weir/model/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace weir::model {
namespace {

TEST(LogHistogram, PercentilesAreNeverBelowAndAtMostAThirtySecondAbove) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> values;
  LogHistogram histogram;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(random() >> (random() % 60));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(histogram.count(), values.size());
  for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    const std::uint64_t exact = values[rank == 0 ? 0 : rank - 1];
    const std::uint64_t found = histogram.percentile(share);
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found - exact, exact / 32) << share;
  }
}

TEST(LogHistogram, BucketsHoldWhatWasAdded) {
  LogHistogram histogram;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{32},
                                    std::uint64_t{64}, std::uint64_t{127}, ~std::uint64_t{0}})
    histogram.add(value);
  std::uint64_t count = 0;
  for (const auto& bucket : histogram.buckets()) {
    EXPECT_LE(bucket.low, bucket.high);
    count += bucket.count;
  }
  EXPECT_EQ(count, 6u);
  const auto powers = histogram.powers();
  ASSERT_EQ(powers.size(), 3u);
  EXPECT_EQ(powers[0].count, 3u);
  EXPECT_EQ(powers[1].low, 64u);
  EXPECT_EQ(powers[1].count, 2u);
  EXPECT_EQ(powers[2].high, ~std::uint64_t{0});
  EXPECT_EQ(histogram.count_from(64), 3u);
}

TEST(LogHistogram, MergedIsTheSameAsAddedTogether) {
  LogHistogram one, other, both;
  for (std::uint64_t value = 1; value < 100000; value += 7) {
    (value % 2 == 0 ? one : other).add(value);
    both.add(value);
  }
  one.merge(other);
  EXPECT_EQ(one.count(), both.count());
  for (const double share : {0.1, 0.5, 0.99})
    EXPECT_EQ(one.percentile(share), both.percentile(share));
}

TEST(LogHistogram, EmptyHasNoPercentile) {
  EXPECT_EQ(LogHistogram().percentile(0.5), 0u);
}

}  // namespace
}  // namespace weir::model
