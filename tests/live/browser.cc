#include "tests/live/browser.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/go_test_case.h"

namespace weir::live {

void expect_page_works(const std::string& script, const std::vector<std::string>& files) {
  if (std::system("node --version >/dev/null 2>&1") != 0) WEIR_SKIP("no node here");
  const std::string source = WEIR_SOURCE_DIR;
  std::vector<std::string> command{"node", source + "/tests/browser/" + script};
  command.insert(command.end(), files.begin(), files.end());
  WEIR_ASSERT_OK(
      const test_support::Completed done,
      test_support::run(command,
                        {.environment = {"NODE_PATH=" + source + "/build/tools/node_modules"}},
                        test_support::Seconds{240}));
  constexpr int no_browser = 77;
  if (done.exit.code == no_browser) WEIR_SKIP(done.out);
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
}

}  // namespace weir::live
