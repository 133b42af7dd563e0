#include "tests/support/go_program.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/child.h"

namespace weir::test_support {

namespace {

namespace fs = std::filesystem;

/// One file of a program: its path below the program's folder, and its bytes.
struct SourceFile {
  std::string name;
  std::string content;
};

/// Held for as long as one process builds one program.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_;
};

/// FNV-1a over length-prefixed fields, so that no two lists of fields run together.
class Hash {
 public:
  void add(std::string_view field) {
    mix(std::to_string(field.size()));
    mix(":");
    mix(field);
  }
  std::string hex() const { return fmt::format("{:016x}", state_); }

 private:
  void mix(std::string_view text) {
    for (const unsigned char c : text) state_ = (state_ ^ c) * 0x100000001b3u;
  }
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

fs::path absolute_source(const std::string& source) {
  const fs::path path(source);
  return path.is_absolute() ? path : fs::path(WEIR_TEST_SOURCE_DIR "/tests/programs") / path;
}

Result<std::string> slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "cannot open", path.string(), errno);
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

Result<std::vector<SourceFile>> read_sources(const fs::path& source) {
  std::vector<SourceFile> files;
  if (fs::is_regular_file(source)) {
    WEIR_TRY(std::string content, slurp(source));
    files.push_back({source.filename(), std::move(content)});
    return files;
  }
  if (!fs::is_directory(source))
    return fail(ErrorCode::not_found, "no such Go program", source.string());
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const auto name = entry.path().filename();
    if (!entry.is_regular_file() || name == "go.mod" || name == "go.sum") continue;
    WEIR_TRY(std::string content, slurp(entry.path()));
    files.push_back({fs::relative(entry.path(), source), std::move(content)});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
  return files;
}

std::string program_name(const fs::path& source) {
  return source.stem();
}

std::string go_line(const GoToolchain& toolchain, const BuildOptions& options) {
  return options.go_version.empty() ? toolchain.language() : options.go_version;
}

std::vector<std::string> build_command(const GoToolchain& toolchain, const BuildOptions& options,
                                       const std::string& output) {
  std::vector<std::string> command{toolchain.go()};
  if (options.test_binary) {
    command.insert(command.end(), {"test", "-c", "-vet=off"});
  } else {
    command.emplace_back("build");
  }
  std::string ldflags = options.ldflags;
  if (options.cgo && options.static_link) ldflags += " -linkmode=external -extldflags=-static";
  if (!ldflags.empty()) command.push_back("-ldflags=" + ldflags);
  if (!options.gcflags.empty()) command.push_back("-gcflags=" + options.gcflags);
  if (!options.tags.empty()) command.push_back("-tags=" + options.tags);
  if (options.pie) command.emplace_back("-buildmode=pie");
  if (options.race) command.emplace_back("-race");
  command.insert(command.end(), {"-o", output, "."});
  return command;
}

/// Where everything about one (sources, toolchain, options) lives.
struct Place {
  std::string folder;  ///< the staged module
  std::string binary;
  std::string lock;
};

Result<Place> find_place(const GoToolchain& toolchain, const fs::path& source,
                         const std::vector<SourceFile>& files, const BuildOptions& options) {
  Hash hash;
  for (const auto& file : files) {
    hash.add(file.name);
    hash.add(file.content);
  }
  hash.add(toolchain.version);
  hash.add(toolchain.root);
  for (const auto& part : build_command(toolchain, options, "")) hash.add(part);
  for (const auto& part : go_environment(toolchain, options)) hash.add(part);
  hash.add(go_line(toolchain, options));
  hash.add(options.strip_sections ? "no sections" : "sections");
  const std::string cache = WEIR_TEST_BUILD_DIR "/go-programs";
  std::error_code error;
  fs::create_directories(cache, error);
  if (error) return fail(ErrorCode::io, "cannot make " + cache, cache, error.value());
  const std::string name = program_name(source);
  const std::string key = fmt::format("{}-{}-{}", name, toolchain.test_name(), hash.hex());
  const std::string folder = fmt::format("{}/{}", cache, key);
  return Place{folder + "/" + name, folder + "/" + name + ".bin", folder + ".lock"};
}

Result<void> write_file(const fs::path& path, std::string_view content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return fail(ErrorCode::io, "cannot write", path.string(), errno);
  return {};
}

Result<void> stage(const GoToolchain& toolchain, const fs::path& source,
                   const std::vector<SourceFile>& files, const BuildOptions& options,
                   const Place& place) {
  const fs::path folder(place.folder);
  const std::string module = fmt::format("module weir.test/{}\n\ngo {}\n", program_name(source),
                                         go_line(toolchain, options));
  for (const auto& file : files) WEIR_TRY_VOID(write_file(folder / file.name, file.content));
  return write_file(folder / "go.mod", module);
}

Result<void> build(const GoToolchain& toolchain, const BuildOptions& options, const Place& place) {
  const std::string unfinished = place.binary + ".part";
  const auto command = build_command(toolchain, options, unfinished);
  ChildOptions child;
  child.environment = go_environment(toolchain, options);
  child.directory = place.folder;
  WEIR_TRY(const Completed done, run(command, child, Seconds(600)));
  if (done.exit != ExitStatus{0, 0, false}) {
    return fail(ErrorCode::invalid, fmt::format("{} failed with {}:\n{}{}", fmt::join(command, " "),
                                                to_string(done.exit), done.out, done.err));
  }
  if (options.strip_sections) WEIR_TRY_VOID(strip_section_headers(unfinished));
  std::error_code error;
  fs::rename(unfinished, place.binary, error);
  if (error) return fail(ErrorCode::io, "no program was built", place.binary, error.value());
  return {};
}

}  // namespace

std::string to_string(const BuildOptions& options) {
  std::vector<std::string> words;
  if (!options.arch.empty()) words.push_back(options.arch);
  if (options.pie) words.emplace_back("pie");
  if (options.race) words.emplace_back("race");
  if (options.cgo) words.emplace_back("cgo");
  if (options.static_link) words.emplace_back("static");
  if (!options.ldflags.empty()) words.push_back(options.ldflags);
  if (!options.gcflags.empty()) words.push_back(options.gcflags);
  if (options.strip_sections) words.emplace_back("no section headers");
  return words.empty() ? "default" : fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> go_environment(const GoToolchain& toolchain, const BuildOptions& options) {
  return {"GOROOT=" + toolchain.root,
          "GOTOOLCHAIN=local",
          "GOPROXY=off",
          "GOWORK=off",
          "GOFLAGS=-mod=mod -buildvcs=false",
          "GO111MODULE=on",
          "GODEBUG",
          "GOEXPERIMENT",
          "GOMAXPROCS",
          options.arch.empty() ? "GOARCH" : "GOARCH=" + options.arch,
          fmt::format("CGO_ENABLED={}", options.cgo || options.race ? 1 : 0)};
}

Result<void> strip_section_headers(const std::string& path) {
  WEIR_TRY(std::string content, slurp(path));
  Elf64_Ehdr header;
  if (content.size() < sizeof header || !content.starts_with(ELFMAG) ||
      content[EI_CLASS] != ELFCLASS64)
    return fail(ErrorCode::invalid, "not an ELF64 file", path);
  std::copy_n(content.data(), sizeof header, reinterpret_cast<char*>(&header));
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.write(reinterpret_cast<const char*>(&header), sizeof header);
  file.close();
  if (!file) return fail(ErrorCode::io, "cannot write", path, errno);
  return {};
}

Result<std::string> stage_go_module(const GoToolchain& toolchain, const std::string& source,
                                    const BuildOptions& options) {
  const fs::path path = absolute_source(source);
  WEIR_TRY(const auto files, read_sources(path));
  WEIR_TRY(const Place place, find_place(toolchain, path, files, options));
  const FileLock lock(place.lock);
  if (!fs::exists(place.folder + "/go.mod"))
    WEIR_TRY_VOID(stage(toolchain, path, files, options, place));
  return place.folder;
}

Result<std::string> build_go_program(const GoToolchain& toolchain, const std::string& source,
                                     const BuildOptions& options) {
  const fs::path path = absolute_source(source);
  WEIR_TRY(const auto files, read_sources(path));
  WEIR_TRY(const Place place, find_place(toolchain, path, files, options));
  const FileLock lock(place.lock);
  if (!fs::exists(place.folder + "/go.mod"))
    WEIR_TRY_VOID(stage(toolchain, path, files, options, place));
  if (!fs::exists(place.binary)) WEIR_TRY_VOID(build(toolchain, options, place));
  return place.binary;
}

}  // namespace weir::test_support
