#include "apps/weir/settings_file.h"

#include <filesystem>

#include "weir/bytes/mapped_file.h"

namespace weir::app {

namespace fs = std::filesystem;

std::string find_upward(const char* name) {
  std::error_code ignored;
  for (fs::path dir = fs::current_path(ignored); !dir.empty(); dir = dir.parent_path()) {
    if (fs::exists(dir / name, ignored)) return (dir / name).string();
    if (dir == dir.root_path() || fs::exists(dir / "go.mod", ignored)) break;
  }
  return {};
}

Result<std::optional<SettingsFile>> read_settings_file() {
  const std::string path = find_upward(".weir.yaml");
  if (path.empty()) return std::optional<SettingsFile>();
  WEIR_TRY(std::string text, bytes::read_file(path));
  return std::optional(SettingsFile{path, std::move(text)});
}

}  // namespace weir::app
