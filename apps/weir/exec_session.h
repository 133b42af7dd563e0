#pragma once
// One program under the gate: the session's outcome as a result of the leak gate.
#include <optional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::app {

struct Gated {
  model::ExecResult result;
  std::optional<model::Snapshot> snapshot;  ///< the last look at the goroutines, if there was one
  int wait_status = 0;                      ///< of the child, as from waitpid
  bool stuck_told = false;  ///< the diagnosis of a stuck program was printed when it was found
};

/// Runs the program to its end and looks at what it leaves. Errors: when it cannot be started.
Result<Gated> run_gated(const std::vector<std::string>& argv,
                        const std::vector<std::string>& environment,
                        const model::GateOptions& options, int ancestors);

}  // namespace weir::app
