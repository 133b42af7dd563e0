#pragma once
// What the looks at waiting goroutines share: who can go on alone, and where one stands.
#include <string>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Why this goroutine can go on by itself ("sleeps", "waits for IO", "is running"); empty if only
/// another goroutine can wake it.
std::string own_power(const model::Goroutine& goroutine);

/// The innermost call in the user's own code, else the innermost that a traceback shows.
model::CodePlace user_place(const model::Goroutine& goroutine);

}  // namespace weir::analysis
