#pragma once
// GoogleTest glue: cases that run once for every Go toolchain, and skips that are counted.
//
//   class DumpTest : public weir::test_support::GoTest {};
//   TEST_P(DumpTest, SeesChannels) {
//     WEIR_BUILD_GO(program, go(), "everywait", {.ldflags = "-s -w"});
//     …
//   }
//   WEIR_FOR_EACH_GO(DumpTest);
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/support/child.h"
#include "tests/support/go_program.h"
#include "tests/support/go_toolchain.h"

namespace weir::test_support {

/// How GoogleTest shows a toolchain.
inline void PrintTo(const GoToolchain& toolchain, std::ostream* out) {
  *out << "go" << toolchain.version;
}

/// Base of cases that run once for every toolchain.
class GoTest : public testing::TestWithParam<GoToolchain> {
 protected:
  static const GoToolchain& go() { return GetParam(); }
};

inline std::string current_test_name() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  return std::string(info->test_suite_name()) + "." + info->name();
}

}  // namespace weir::test_support

/// Skips the case, and leaves the reason in the summary of skips.
#define WEIR_SKIP(reason)                                                                 \
  do {                                                                                    \
    ::weir::test_support::record_skip(::weir::test_support::current_test_name(), reason); \
    GTEST_SKIP() << (reason);                                                             \
  } while (false)

/// `path` becomes the built program, or the case fails with the compiler's words.
#define WEIR_BUILD_GO(path, toolchain, ...)                                                  \
  const auto path##_result = ::weir::test_support::build_go_program(toolchain, __VA_ARGS__); \
  ASSERT_TRUE(path##_result.has_value()) << ::weir::to_string(path##_result.error());        \
  const std::string& path = *path##_result

/// `declaration` takes the value of a Result, or the case fails with its error.
#define WEIR_ASSERT_OK(declaration, expression)                      \
  auto WEIR_CONCAT(weir_ok_, __LINE__) = (expression);               \
  ASSERT_TRUE(WEIR_CONCAT(weir_ok_, __LINE__).has_value())           \
      << ::weir::to_string(WEIR_CONCAT(weir_ok_, __LINE__).error()); \
  declaration = std::move(WEIR_CONCAT(weir_ok_, __LINE__)).value()

/// Instantiates a GoTest suite for all toolchains. On a machine without Go the suite is empty.
#define WEIR_FOR_EACH_GO(Suite)                                                                    \
  GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Suite);                                            \
  INSTANTIATE_TEST_SUITE_P(, Suite, testing::ValuesIn(::weir::test_support::find_go_toolchains()), \
                           [](const auto& go_case) { return go_case.param.test_name(); })
