#include "tests/live/gate_run.h"

#include <errno.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/go_program.h"

namespace weir::live {

using test_support::Completed;
using test_support::GoToolchain;

namespace {

constexpr test_support::Seconds long_enough{300};

/// A run of weir within the tests must not see what the machine of the tests has set.
constexpr const char* unset[] = {"WEIR",           "WEIR_SETTLE",    "GOLEAK_SKIP",
                                 "GOLEAK_TIMEOUT", "GITHUB_ACTIONS", "CLICOLOR_FORCE",
                                 "FORCE_COLOR"};

test_support::ChildOptions options_of(const GoToolchain& go, const std::string& folder) {
  test_support::ChildOptions options;
  options.environment = test_support::go_environment(go, {});
  options.environment.insert(options.environment.end(), std::begin(unset), std::end(unset));
  options.directory = folder;
  return options;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "weir-gate-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) abort();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<GoToolchain> ends_of_go() {
  const auto& all = test_support::find_go_toolchains();
  if (all.size() < 3 || getenv("WEIR_TEST_GO_ALL") != nullptr) return all;
  return {all.front(), all.back()};
}

Result<Completed> run_go(const GoToolchain& go, const std::string& folder,
                         const std::vector<std::string>& words) {
  std::vector<std::string> command = {go.go()};
  command.insert(command.end(), words.begin(), words.end());
  return test_support::run(command, options_of(go, folder), long_enough);
}

Result<Completed> run_weir_test(const GoToolchain& go, const std::string& folder,
                                const std::vector<std::string>& words,
                                const std::vector<std::string>& environment) {
  std::vector<std::string> command = {WEIR_BINARY, "test", "-go=" + go.go()};
  command.insert(command.end(), words.begin(), words.end());
  auto options = options_of(go, folder);
  // The first of a name counts.
  options.environment.insert(options.environment.begin(), environment.begin(), environment.end());
  return test_support::run(command, options, long_enough);
}

Result<Completed> run_weir(const GoToolchain& go, const std::string& folder,
                           std::vector<std::string> words) {
  words.insert(words.begin(), WEIR_BINARY);
  return test_support::run(words, options_of(go, folder), long_enough);
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "cannot read", path, errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<nlohmann::json> read_json(const std::string& path) {
  WEIR_TRY(const std::string text, read_text(path));
  auto document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail(ErrorCode::invalid, "no JSON: " + text, path);
  return document;
}

}  // namespace weir::live
