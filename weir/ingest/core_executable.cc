// Which file on this machine is the executable that a core is of.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "weir/elf/file.h"
#include "weir/ingest/core.h"

namespace weir::ingest {
namespace {

namespace fs = std::filesystem;

/// A candidate's verdict: the file, or why it is none, in a few words.
struct Candidate {
  std::optional<FoundExecutable> found;
  std::string why_not;
};

Candidate look_at(const std::string& path, const target::CoreFile& core) {
  auto file = bytes::MappedFile::open(path);
  if (!file)
    return {{}, file.error().code == ErrorCode::not_found ? "not there" : to_string(file.error())};
  const auto parsed = elf::File::parse(file->bytes());
  if (!parsed || parsed->type() == elf::Type::core) return {{}, "no executable"};
  const std::string gnu = parsed->gnu_build_id(), go = parsed->go_build_id();
  const std::string& wanted = core.build_id();
  const bool known = !wanted.empty() && !(gnu.empty() && go.empty());
  if (known && wanted != gnu && wanted != go)
    return {{}, fmt::format("another build, {}", gnu.empty() ? go : gnu)};
  if (parsed->machine() != core.file().machine()) return {{}, "of another machine"};
  if (parsed->window_at(parsed->entry()).size() == 0)
    return {{}, "debug information only, without the program"};
  return {FoundExecutable{path, std::move(*file), known}, {}};
}

std::vector<std::string> split_path(const char* list) {
  std::vector<std::string> folders;
  std::string_view rest = list == nullptr ? "" : list;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (colon > 0) folders.emplace_back(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return folders;
}

/// The place of debuginfod's client, which elfutils and gdb share: debuginfod_find_executable(3).
fs::path debuginfod_cache() {
  const auto of = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path given = of("DEBUGINFOD_CACHE_PATH"); !given.empty()) return given;
  if (const fs::path cache = of("XDG_CACHE_HOME"); !cache.empty())
    return cache / "debuginfod_client";
  const fs::path home = of("HOME");
  return home.empty() ? home : home / ".cache" / "debuginfod_client";
}

/// Where to look, first to last, each once.
class Places {
 public:
  explicit Places(const target::CoreFile& core)
      : name_(fs::path(core.process().exe_path).filename()), id_(core.gnu_build_id()) {}

  /// A file; or a folder that has it under its own name or by its build id.
  void add(const fs::path& path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) return put(path);
    if (!name_.empty()) put(path / name_);
    add_by_id(path);
  }
  void add_named_in(const fs::path& folder) {
    if (!name_.empty()) put(folder / name_);
  }
  /// As .build-id/ab/cdef… and as debuginfod's client keeps it. Only what is there, so that errors
  /// stay short.
  void add_by_id(const fs::path& folder) {
    if (id_.size() < 3 || folder.empty()) return;
    const fs::path linked = folder / ".build-id" / id_.substr(0, 2) / id_.substr(2);
    for (const fs::path& path :
         {linked, fs::path(linked.string() + ".debug"), folder / id_ / "executable"}) {
      std::error_code error;
      if (fs::exists(path, error)) put(path);
    }
  }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  void put(const fs::path& path) {
    std::string text = path.string();
    if (std::find(found_.begin(), found_.end(), text) == found_.end())
      found_.push_back(std::move(text));
  }

  std::string name_, id_;
  std::vector<std::string> found_;
};

std::vector<std::string> places_of(const target::CoreFile& core, const std::string& core_path,
                                   const CoreOptions& options) {
  Places places(core);
  for (const std::string& given : options.executables) places.add(given);
  if (!options.executables.empty()) return places.take();
  if (!core.process().exe_path.empty()) places.add(core.process().exe_path);
  places.add_named_in(fs::path(core_path).parent_path());
  for (const std::string& folder : split_path(std::getenv("WEIR_EXE_PATH"))) places.add(folder);
  for (const fs::path& folder :
       {fs::path("/usr/lib"), fs::path("/usr/lib/debug"), debuginfod_cache()})
    places.add_by_id(folder);
  return places.take();
}

}  // namespace

Result<FoundExecutable> find_core_executable(const target::CoreFile& core,
                                             const std::string& core_path,
                                             const CoreOptions& options) {
  std::string looked_at;
  for (const std::string& path : places_of(core, core_path, options)) {
    Candidate candidate = look_at(path, core);
    if (candidate.found) return std::move(*candidate.found);
    looked_at += fmt::format("{}{} ({})", looked_at.empty() ? "" : ", ", path, candidate.why_not);
  }
  const std::string& gnu = core.gnu_build_id();
  const std::string gnu_too = gnu.empty() || gnu == core.build_id() ? "" : " (GNU " + gnu + ")";
  return fail(ErrorCode::not_found,
              fmt::format("no executable for this core{}{}; looked at: {}; name it with -exe FILE",
                          core.build_id().empty() ? "" : " of build " + core.build_id(), gnu_too,
                          looked_at.empty() ? "nothing, since the core names none" : looked_at));
}

}  // namespace weir::ingest
