#include "apps/weir/results_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "weir/bytes/mapped_file.h"
#include "weir/report/exec_result.h"

namespace weir::app {

std::string results_folder() {
  const char* folder = std::getenv(results_variable);
  return folder == nullptr ? "" : folder;
}

std::vector<std::string> environment_without_folder() {
  const std::string prefix = std::string(results_variable) + "=";
  std::vector<std::string> kept;
  for (char** word = environ; *word != nullptr; ++word)
    if (!std::string_view(*word).starts_with(prefix)) kept.emplace_back(*word);
  return kept;
}

Result<void> write_result(const std::string& folder, const model::ExecResult& result) {
  // go test runs several binaries at once, and a process id may come again.
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  const std::string path = fmt::format("{}/{}-{}.json", folder, getpid(), now);
  return bytes::write_file(path, report::render_exec_result(result));
}

Result<std::vector<model::ExecResult>> read_results(const std::string& folder) {
  std::vector<model::ExecResult> results;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    WEIR_TRY(const std::string text, bytes::read_file(entry.path().string()));
    WEIR_TRY(auto result, report::parse_exec_result(text, entry.path().string()));
    results.push_back(std::move(result));
  }
  if (error) return fail(ErrorCode::io, "cannot read the results", folder, error.value());
  return report::sorted_results(std::move(results));
}

}  // namespace weir::app
