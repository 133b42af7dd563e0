#include "apps/weir/temporary_folder.h"

#include <errno.h>
#include <stdlib.h>

#include <filesystem>

namespace weir::app {

namespace fs = std::filesystem;

Result<TemporaryFolder> TemporaryFolder::make(const std::string& prefix) {
  std::error_code error;
  std::string path = (fs::temp_directory_path(error) / (prefix + "XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr)
    return fail(ErrorCode::io, "cannot make a temporary folder", path, errno);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace weir::app
