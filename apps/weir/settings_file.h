#pragma once
// The .weir.yaml that rules here.
#include <optional>
#include <string>

#include "weir/base/error.h"

namespace weir::app {

struct SettingsFile {
  std::string path;
  std::string text;
};

/// The nearest .weir.yaml of the working directory and above; nothing if there is none. Errors: io,
/// denied, limit.
Result<std::optional<SettingsFile>> read_settings_file();

/// The nearest file or folder of that name in the working directory and above, not above the folder
/// of go.mod; empty if there is none.
std::string find_upward(const char* name);

}  // namespace weir::app
