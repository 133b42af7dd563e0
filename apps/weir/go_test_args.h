#pragma once
// Which words of `weir test …` are weir's, and which go test's.
#include <string>
#include <vector>

#include "apps/weir/flags.h"
#include "weir/base/error.h"

namespace weir::app {

struct GoTestArgs {
  std::vector<std::string> words;  ///< for go test, in their order
  bool verbose = false;            ///< -v is among them
  bool partial = false;            ///< they leave tests or packages of the module out
};

/// What of go test's words matters for a test binary that weir builds and runs itself.
struct BinaryArgs {
  std::vector<std::string> packages;
  std::vector<std::string> build;  ///< build flags, each one word
  std::vector<std::string>
      arguments;  ///< for the test binary: "-test.short=true", what is behind -args
  std::string run = ".";
  std::string skip;
  std::vector<std::string> left_out;  ///< build flags that such a binary cannot have: "-msan"
};
BinaryArgs binary_args(const GoTestArgs& args);

/// Sets weir's flags from `args` and gives the rest. weir's stand before the first package; those
/// written -weir.NAME may stand anywhere before -args. A name that go test has too is go test's.
/// Errors: usage; -exec, which is weir's own way in.
Result<GoTestArgs> split_go_test_args(const std::vector<std::string>& args, const FlagSet& own);

/// `words` as one value of -exec, which cmd/internal/quoted splits again. Errors: usage (a word
/// with both kinds of quotes, which that syntax cannot say).
Result<std::string> quote_words(const std::vector<std::string>& words);

}  // namespace weir::app
