#pragma once
// What `weir exec` and `weir test` have in common: flags, settings from all places, and what is
// made of the results.
#include <optional>
#include <string>
#include <vector>

#include "apps/weir/flags.h"
#include "weir/model/gate.h"
#include "weir/report/settings.h"

namespace weir::app {

/// What the command line asked of the gate.
struct GateRequest {
  report::GateSettings flags;
  std::string json;    ///< file for the JSON report; "-" is standard output; empty: none
  int ancestors = 16;  ///< creators of creators that Go is told to remember
  std::vector<std::string> profiles;  ///< kinds to take of each test binary
  std::string profile_folder = "weir-profiles";
  int schedtrace = 0;     ///< milliseconds between two lines; 0: none
  bool checkptr = false;  ///< look for what a build with -d=checkptr finds
};

/// The flags of both commands; they write into `request`, which must outlive them. `json` is what
/// the one for JSON is called: go test has a -json of its own.
std::vector<Flag> gate_flags(GateRequest& request, const char* json);

/// -ignore-top, -ignore-any and -ignore-created-by alone, for a command that is not the gate but
/// has its rule of what a leak is.
std::vector<Flag> ignore_flags(GateRequest& request);

/// Flags over environment over .weir.yaml. Paths come back absolute. Errors: usage, io.
Result<model::GateOptions> load_options(const GateRequest& request);

/// The options as flags of `weir exec`, each one word.
std::vector<std::string> exec_flags(const model::GateOptions& options, const GateRequest& request);

/// The folder of the go.mod that rules here, or the working directory.
std::string module_root();

}  // namespace weir::app
