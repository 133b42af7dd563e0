// Which file on this machine is the executable that a core is of.
#include <fmt/format.h>

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

std::vector<std::string> places(const target::CoreFile& core, const std::string& core_path,
                                const CoreOptions& options) {
  const fs::path own = core.process().exe_path;
  const std::string name = own.filename().string();
  std::vector<std::string> found;
  const auto add = [&](const fs::path& path) {
    std::error_code error;
    const bool folder = fs::is_directory(path, error);
    if (folder && name.empty()) return;
    std::string text = (folder ? path / name : path).string();
    if (std::find(found.begin(), found.end(), text) == found.end())
      found.push_back(std::move(text));
  };
  for (const std::string& given : options.executables) add(given);
  if (!found.empty()) return found;
  if (!own.empty()) add(own);
  if (!name.empty()) add(fs::path(core_path).parent_path() / name);
  for (const std::string& folder : split_path(std::getenv("WEIR_EXE_PATH"))) add(folder);
  return found;
}

}  // namespace

Result<FoundExecutable> find_core_executable(const target::CoreFile& core,
                                             const std::string& core_path,
                                             const CoreOptions& options) {
  std::string looked_at;
  for (const std::string& path : places(core, core_path, options)) {
    Candidate candidate = look_at(path, core);
    if (candidate.found) return std::move(*candidate.found);
    looked_at += fmt::format("{}{} ({})", looked_at.empty() ? "" : ", ", path, candidate.why_not);
  }
  return fail(ErrorCode::not_found,
              fmt::format("no executable for this core{}; looked at: {}; name it with -exe FILE",
                          core.build_id().empty() ? "" : " of build " + core.build_id(),
                          looked_at.empty() ? "nothing, since the core names none" : looked_at));
}

}  // namespace weir::ingest
