#include "apps/weir/history_file.h"

#include <cstdlib>
#include <filesystem>

#include "apps/weir/settings_file.h"
#include "weir/store/history.h"

namespace weir::app {

Result<report::WatchSettings> read_watch_settings() {
  WEIR_TRY(const auto file, read_settings_file());
  if (!file) return report::WatchSettings{};
  WEIR_TRY(auto settings, report::parse_watch_settings(file->text, file->path));
  if (settings.database)
    settings.database =
        (std::filesystem::path(file->path).parent_path() / *settings.database).string();
  return settings;
}

Result<std::string> history_path(const std::string& named) {
  if (!named.empty()) return named;
  const std::string path =
      store::default_history_path(std::getenv("XDG_STATE_HOME"), std::getenv("HOME"));
  if (path.empty())
    return fail(ErrorCode::usage, "HOME is not set; -db says where the history is to be kept");
  return path;
}

}  // namespace weir::app
