#pragma once
// A Snapshot as JSON, schema "weir.dump/1" (docs/json.md).
#include <string>

#include "weir/model/snapshot.h"

namespace weir::report {

/// One object and a line break. Stacks that goroutines share are written once, in "stacks", and
/// referred to by index. Valid UTF-8 whatever the target's bytes are.
std::string render_snapshot_json(const model::Snapshot& snapshot);

}  // namespace weir::report
