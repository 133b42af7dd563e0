#pragma once
// What is said of the stop once a process has been looked at.
#include <string>

#include "weir/model/snapshot.h"

namespace weir::report {

/// "5 goroutines and 8 of the runtime, stopped 310 µs, partial". The runtime's own are counted
/// apart, since a traceback hides them. Empty unless a process was stopped for the snapshot.
std::string stop_text(const model::Snapshot& snapshot);

}  // namespace weir::report
