#pragma once
// `weir prof -collect`: several profiles of one server, taken at the same time, as a folder.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/ingest/http.h"

namespace weir::app {

struct CollectRequest {
  std::vector<std::string> kinds;  ///< "cpu", or a name under /debug/pprof/
  int seconds = 10;                ///< how long cpu, block and mutex are watched
  std::string folder;              ///< where to; empty: named after the server and the time
};

struct Collected {
  std::string kind;
  std::string file;  ///< empty if it failed
  std::uint64_t samples = 0;
  std::string error;  ///< empty if not
};

struct Bundle {
  std::string folder;
  std::vector<Collected> profiles;
};

/// Nothing is written before all answers are there. Errors: usage; io for the folder. What one
/// profile's answer is wrong with stands in its entry.
Result<Bundle> collect(const std::string& server, const CollectRequest& request,
                       const ingest::HttpOptions& http);

}  // namespace weir::app
