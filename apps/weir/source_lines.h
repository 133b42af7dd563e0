#pragma once
// Lines of source files, for people who look at a schedule.
#include <map>
#include <string>
#include <vector>

#include "weir/model/gate.h"

namespace weir::app {

/// Reads each file once. The file may have changed since the program was built; that is for the
/// caller to tell.
class SourceLines {
 public:
  /// Without the blanks around it; empty where there is no such file or line.
  std::string at(const model::CodePlace& place);

 private:
  std::map<std::string, std::vector<std::string>> files_;
};

}  // namespace weir::app
