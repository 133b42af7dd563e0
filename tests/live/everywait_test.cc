// The test program itself: it parks everything and ends as it is told, on every toolchain.
#include <gtest/gtest.h>

#include "tests/support/go_test_case.h"

namespace weir::test_support {
namespace {

class EverywaitTest : public GoTest {};

TEST_P(EverywaitTest, ParksEverythingAndDumpsOnSigquit) {
  WEIR_BUILD_GO(program, go(), "everywait");
  WEIR_ASSERT_OK(Child child, Child::start({program}, {.environment = {"GOTRACEBACK=system"}}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  EXPECT_NE(child.out().find("expect select-many kind=select cases=recv:0x"), std::string::npos);
  EXPECT_EQ(child.out().find("expect coroutine-idle") != std::string::npos, go().minor >= 23);
  ASSERT_TRUE(child.signal(SIGQUIT));
  WEIR_ASSERT_OK(const ExitStatus exit, child.wait());
  EXPECT_EQ(to_string(exit), "exit 2");
  EXPECT_NE(child.err().find("main.selectMany"), std::string::npos);
}

WEIR_FOR_EACH_GO(EverywaitTest);

}  // namespace
}  // namespace weir::test_support
