#pragma once
// A folder of weir's own that is gone with the object.
#include <string>

#include "weir/base/error.h"

namespace weir::app {

class TemporaryFolder {
 public:
  /// A new folder in the system's place for them, its name beginning with `prefix`. Errors: io.
  static Result<TemporaryFolder> make(const std::string& prefix);
  TemporaryFolder(TemporaryFolder&& other) noexcept { std::swap(path_, other.path_); }
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace weir::app
