#pragma once
// From a goroutineleak profile to the leaks in it.
#include "weir/model/leaks.h"
#include "weir/model/tally.h"

namespace weir::analysis {

model::RuntimeLeaks runtime_leaks(const model::Tally& tally);

}  // namespace weir::analysis
