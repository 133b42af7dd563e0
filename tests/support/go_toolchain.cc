#include "tests/support/go_toolchain.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <tuple>

namespace weir::test_support {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    if (at != 0 && !text.empty()) parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The toolchain whose GOROOT is `root`, if it is one and can run here.
std::optional<GoToolchain> read_toolchain(const fs::path& root) {
  std::error_code error;
  const fs::path resolved = fs::canonical(root, error);
  if (error || ::access((resolved / "bin/go").c_str(), X_OK) != 0) return {};
  std::ifstream file(resolved / "VERSION");
  std::string line;
  if (!std::getline(file, line)) return {};
  auto toolchain = parse_go_version(line);
  if (toolchain) toolchain->root = resolved;
  return toolchain;
}

std::vector<fs::path> entries(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string module_cache() {
  if (auto cache = environment("GOMODCACHE"); !cache.empty()) return cache;
  const auto gopath = split(environment("GOPATH"), ':');
  return (gopath.empty() ? environment("HOME") + "/go" : gopath.front()) + "/pkg/mod";
}

std::vector<fs::path> candidate_roots() {
  std::vector<fs::path> roots;
  for (const auto& folder : split(environment("PATH"), ':')) {
    std::error_code error;
    const fs::path go = fs::canonical(fs::path(folder) / "go", error);
    if (!error) roots.push_back(go.parent_path().parent_path());
  }
  for (const auto& root : entries("/usr/lib", "go-")) roots.push_back(root);
  roots.emplace_back("/usr/local/go");
  for (const auto& root : entries(module_cache() + "/golang.org", "toolchain@v0.0.1-go1."))
    if (root.string().ends_with(".linux-amd64")) roots.push_back(root);
  return roots;
}

bool chosen(const GoToolchain& toolchain) {
  const auto wanted = split(environment("WEIR_TEST_GO"), ',');
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) {
           return w == toolchain.version || w == toolchain.language();
         });
}

/// All toolchains, before WEIR_TEST_GO.
std::vector<GoToolchain> look_up_toolchains() {
  std::vector<GoToolchain> found;
  for (const auto& root : candidate_roots()) {
    auto toolchain = read_toolchain(root);
    if (!toolchain || toolchain->minor < oldest_go_minor) continue;
    const bool known = std::any_of(found.begin(), found.end(), [&](const GoToolchain& other) {
      return other.version == toolchain->version;
    });
    if (!known) found.push_back(*std::move(toolchain));
  }
  std::sort(found.begin(), found.end(), [](const GoToolchain& a, const GoToolchain& b) {
    return std::tie(a.minor, a.patch, a.version) < std::tie(b.minor, b.patch, b.version);
  });
  return found;
}

const std::vector<GoToolchain>& all_toolchains() {
  static const std::vector<GoToolchain> found = look_up_toolchains();
  return found;
}

}  // namespace

std::string GoToolchain::test_name() const {
  std::string name = "go" + version;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

std::string GoToolchain::language() const {
  return fmt::format("1.{}", minor);
}

std::optional<GoToolchain> parse_go_version(std::string_view line) {
  constexpr std::string_view prefix = "go1.";
  if (!line.starts_with(prefix)) return {};
  GoToolchain toolchain;
  const std::string_view word = line.substr(0, line.find_first_of(" \t\r\n"));
  toolchain.version = word.substr(2);
  const char* const end = word.data() + word.size();
  auto [at, error] = std::from_chars(word.data() + prefix.size(), end, toolchain.minor);
  if (error != std::errc{}) return {};
  if (at != end && *at == '.') std::from_chars(at + 1, end, toolchain.patch);
  return toolchain;
}

const std::vector<GoToolchain>& find_go_toolchains() {
  static const std::vector<GoToolchain> found = [] {
    std::vector<GoToolchain> kept;
    std::copy_if(all_toolchains().begin(), all_toolchains().end(), std::back_inserter(kept),
                 chosen);
    return kept;
  }();
  return found;
}

std::optional<GoToolchain> find_go_toolchain(int minor) {
  std::optional<GoToolchain> newest;
  for (const auto& toolchain : find_go_toolchains())
    if (toolchain.minor == minor) newest = toolchain;
  return newest;
}

std::optional<GoToolchain> find_newest_go_toolchain() {
  const auto& found = find_go_toolchains();
  if (found.empty()) return {};
  return found.back();
}

std::vector<std::string> missing_go_toolchains() {
  const auto has = [](const std::vector<GoToolchain>& list, int minor) {
    return std::any_of(list.begin(), list.end(),
                       [&](const GoToolchain& t) { return t.minor == minor; });
  };
  std::vector<std::string> missing;
  for (int minor = oldest_go_minor; minor <= newest_go_minor; ++minor) {
    if (has(find_go_toolchains(), minor)) continue;
    missing.push_back(fmt::format("go1.{}: {}", minor,
                                  has(all_toolchains(), minor) ? "left out by WEIR_TEST_GO"
                                                               : "no toolchain on this machine"));
  }
  return missing;
}

void record_skip(std::string_view test, std::string_view reason) {
  const std::string line = fmt::format("{}: {}\n", test, reason);
  fmt::print("weir-skip: {}", line);
  std::fflush(stdout);
  const int fd = ::open(WEIR_TEST_BUILD_DIR "/test-skips.txt",
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

}  // namespace weir::test_support
