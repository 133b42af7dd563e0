#pragma once
// Why the runtime's own deadlock check has said nothing.
#include <span>

#include "weir/analysis/own_power.h"
#include "weir/model/why.h"

namespace weir::analysis {

/// runtime.checkdead (src/runtime/proc.go, go1.19–1.27) ends the program with "all goroutines are
/// asleep - deadlock!" when a thread becomes idle and all others are idle, too, no goroutine can
/// run and no timer is pending. `report` says who can go on, `powers` are the reasons why
/// (power_of(), none of them Power::none), `listener` is os/signal's receiver, 0 if there is none.
model::RuntimeCheck explain_runtime_check(const model::Snapshot& snapshot,
                                          const model::WhyReport& report,
                                          std::span<const Power> powers, Goid listener);

}  // namespace weir::analysis
