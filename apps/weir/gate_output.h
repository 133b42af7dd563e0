#pragma once
// From the results of programs to what the user sees: text, files, the baseline, an exit code.
#include <vector>

#include "apps/weir/gate_flags.h"
#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::app {

/// The baseline that the options name; none without a name. A file that is not there is an empty
/// baseline with -update-baseline, else an error (usage).
Result<std::optional<model::Baseline>> read_baseline(const model::GateOptions& options);

struct Publication {
  bool whole_run = true;    ///< no package or test was left out on purpose
  bool stuck_told = false;  ///< a stuck program's diagnosis is on the screen already
  std::vector<model::Explored> explored = {};
};

/// Prints the report to standard error and writes the files that were asked for. The result is the
/// verdict's exit code (model::exit_code), 0 with -update-baseline unless a child failed.
Result<int> publish(std::vector<model::ExecResult> programs, const model::GateOptions& options,
                    const GateRequest& request, const Publication& publication);

}  // namespace weir::app
