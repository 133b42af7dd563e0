#pragma once
// What the tests of `weir test` and `weir exec` share.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child.h"
#include "tests/support/go_toolchain.h"
#include "weir/base/error.h"

namespace weir::live {

/// A folder in the temporary one, gone with this.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The oldest and the newest toolchain here; all of them when WEIR_TEST_GO_ALL is set.
std::vector<test_support::GoToolchain> ends_of_go();

/// Runs the toolchain's `go` with these words in `folder`.
Result<test_support::Completed> run_go(const test_support::GoToolchain& go,
                                       const std::string& folder,
                                       const std::vector<std::string>& words);

/// Runs `weir test -go GO …` in `folder`; `environment` comes on top.
Result<test_support::Completed> run_weir_test(const test_support::GoToolchain& go,
                                              const std::string& folder,
                                              const std::vector<std::string>& words,
                                              const std::vector<std::string>& environment = {});

/// Runs `weir WORDS…` in `folder`, with the same environment.
Result<test_support::Completed> run_weir(const test_support::GoToolchain& go,
                                         const std::string& folder, std::vector<std::string> words);

/// Errors: not_found, invalid.
Result<nlohmann::json> read_json(const std::string& path);
Result<std::string> read_text(const std::string& path);

}  // namespace weir::live
