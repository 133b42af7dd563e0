#include <gtest/gtest.h>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/base/notes.h"

namespace weir {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::invalid, "odd", Address{0x10});
  return n / 2;
}

Result<int> quarter(int n) {
  WEIR_TRY(const int h, half(n));
  return half(h);
}

TEST(Result, TryPassesTheErrorOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(to_string(quarter(6).error()), "odd at address 0x10");
}

TEST(Error, PrintsOutermostContextFirst) {
  Error base{ErrorCode::io, "read failed", std::string("/x"), 2, {}};
  const Error error = std::move(base).with("inner").with("outer");
  EXPECT_EQ(to_string(error), "outer: inner: read failed: /x (No such file or directory)");
}

TEST(Nanos, HasThreeSignificantDigits) {
  EXPECT_EQ(to_text(Nanos{950}), "950 ns");
  EXPECT_EQ(to_text(Nanos{1'234'567}), "1.23 ms");
  EXPECT_EQ(to_text(Nanos{130'000'000'000}), "2m10s");
}

TEST(Notes, CountsRepeats) {
  Notes notes;
  notes.add(Severity::loss, "stack unreadable", "goroutine 7");
  Notes more = notes;
  more.add(Severity::loss, "stack unreadable", "goroutine 8");
  notes.merge(more);
  ASSERT_EQ(notes.all().size(), 1u);
  EXPECT_EQ(notes.all()[0].count, 3u);
  EXPECT_EQ(notes.all()[0].place, "goroutine 7");
}

}  // namespace
}  // namespace weir
