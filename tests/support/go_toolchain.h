#pragma once
// Which Go toolchains this machine has, so that tests run on all of them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::test_support {

/// The Go versions weir promises to read; a missing one is a skip with a reason.
inline constexpr int oldest_go_minor = 19;
inline constexpr int newest_go_minor = 27;

struct GoToolchain {
  int minor = 0;        ///< 26 of go1.26.8
  int patch = 0;        ///< 8 of go1.26.8
  std::string version;  ///< "1.26.8", "1.27rc1"
  std::string root;     ///< GOROOT, symbolic links resolved

  std::string go() const { return root + "/bin/go"; }
  /// "go1_26_8", fit for a test's name.
  std::string test_name() const;
  /// "1.26".
  std::string language() const;
};

/// Every toolchain from Go 1.19 on, ascending, one for each version: in PATH, /usr/lib/go-*,
/// /usr/local/go, and downloaded ones in Go's module cache. The environment variable
/// WEIR_TEST_GO=1.22,1.27.4 narrows the list to these. Looked up once per process.
const std::vector<GoToolchain>& find_go_toolchains();

/// The newest toolchain of `minor`, or nothing.
std::optional<GoToolchain> find_go_toolchain(int minor);
/// The newest of all, or nothing.
std::optional<GoToolchain> find_newest_go_toolchain();

/// One line for each promised minor version without a toolchain:
/// "go1.20: no toolchain on this machine" or "go1.20: left out by WEIR_TEST_GO".
std::vector<std::string> missing_go_toolchains();

/// Parses the first line of GOROOT/VERSION ("go1.26.8", "go1.27rc1"). Nothing for anything else.
std::optional<GoToolchain> parse_go_version(std::string_view line);

/// Appends "TEST: REASON" to the file that the summary of skipped tests is made of
/// (test-skips.txt in the build folder) and prints it as "weir-skip: TEST: REASON".
void record_skip(std::string_view test, std::string_view reason);

}  // namespace weir::test_support
