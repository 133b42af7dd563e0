#pragma once
// Test binaries for `weir explore` and `weir replay`: built by the go command, or given.
#include <string>
#include <vector>

#include "weir/base/error.h"

namespace weir::app {

struct TestTarget {
  std::string package;  ///< import path; empty for a binary that was given
  std::string folder;   ///< where its tests run
  std::string binary;   ///< empty until it is built
};

/// How packages are built.
struct BuildRequest {
  std::string go = "go";           ///< the go command
  std::vector<std::string> flags;  ///< build flags of go test, each one word: "-tags=x"
};
/// What makes the package's tests instrumented by the race detector, as a flag of BuildRequest.
inline constexpr const char* race_flag = "-race=true";

/// What `words` of the command line name: packages (patterns as for the go command; none: the one
/// of this folder), or test binaries. Packages without tests are left out. Errors: io; usage.
Result<std::vector<TestTarget>> find_test_targets(const BuildRequest& build,
                                                  const std::vector<std::string>& words);
/// `go test -c` into `folder`, unless there is a binary. Errors: io (the compiler has said why).
Result<void> build_target(const BuildRequest& build, const std::string& folder, TestTarget& target);
/// The binary's tests whose names match `pattern` up to its first slash, as go test's -list has
/// them. Errors: io.
Result<std::vector<std::string>> list_tests(const TestTarget& target, const std::string& pattern);

}  // namespace weir::app
