#include "apps/weir/test_binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

namespace weir::app {
namespace {

namespace fs = std::filesystem;

struct Answer {
  int code = 0;
  std::string output;
};

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

/// Runs a command in `folder` (empty: here) and reads its stdout; stderr is weir's. Errors: io.
Result<Answer> ask(std::vector<std::string> argv, const std::string& folder) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe", {}, errno);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(127);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(ends[1]);
  Answer answer;
  if (child > 0) answer.output = read_to_end(ends[0]);
  close(ends[0]);
  if (child < 0) return fail(ErrorCode::io, "cannot start a process", {}, errno);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (answer.code == 127)
    return fail(ErrorCode::io, fmt::format("cannot start {}; is it installed?", argv[0]), folder);
  return answer;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

bool is_file(const std::string& word) {
  std::error_code ignored;
  return fs::is_regular_file(word, ignored);
}

}  // namespace

Result<std::vector<TestTarget>> find_test_targets(const BuildRequest& build,
                                                  const std::vector<std::string>& words) {
  std::vector<TestTarget> targets;
  std::vector<std::string> packages;
  std::error_code ignored;
  for (const std::string& word : words) {
    if (is_file(word))
      targets.push_back(
          {{}, fs::current_path(ignored).string(), fs::absolute(word, ignored).string()});
    else
      packages.push_back(word);
  }
  if (packages.empty() && !targets.empty()) return targets;
  std::vector<std::string> command = {build.go, "list"};
  command.insert(command.end(), build.flags.begin(), build.flags.end());
  command.insert(
      command.end(),
      {"-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}\t{{.Dir}}{{end}}", "--"});
  command.insert(command.end(), packages.begin(), packages.end());
  WEIR_TRY(const Answer answer, ask(command, {}));
  if (answer.code != 0) return fail(ErrorCode::usage, "go list does not know these packages");
  for (const std::string& line : lines_of(answer.output)) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos)
      targets.push_back({line.substr(0, tab), line.substr(tab + 1), {}});
  }
  if (targets.empty()) return fail(ErrorCode::not_found, "there are no tests in these packages");
  return targets;
}

// Always from the package's own folder, so that the same sources give the same build id.
Result<void> build_target(const BuildRequest& build, const std::string& folder,
                          TestTarget& target) {
  if (!target.binary.empty()) return {};
  const std::string path = folder + "/package.test";
  std::vector<std::string> command = {build.go, "test", "-c", "-o", path};
  command.insert(command.end(), build.flags.begin(), build.flags.end());
  command.emplace_back(".");
  WEIR_TRY(const Answer answer, ask(command, target.folder));
  if (answer.code != 0 || !is_file(path))
    return fail(ErrorCode::io, "the tests could not be built", target.package);
  target.binary = path;
  return {};
}

Result<std::vector<std::string>> list_tests(const TestTarget& target, const std::string& pattern) {
  const std::string top = pattern.substr(0, pattern.find('/'));
  WEIR_TRY(const Answer answer, ask({target.binary, "-test.list=" + top}, target.folder));
  if (answer.code != 0)
    return fail(ErrorCode::io,
                fmt::format("the test binary does not list its tests (exit code {})", answer.code),
                target.binary);
  std::vector<std::string> tests;
  for (const std::string& line : lines_of(answer.output))
    if (line.starts_with("Test")) tests.push_back(line);
  return tests;
}

}  // namespace weir::app
