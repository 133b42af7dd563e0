#pragma once
// What, beside goroutines' stacks, may lead to what goroutines are blocked on: the program's
// variables and its pending timers.
#include <optional>

#include "weir/gortime/program.h"
#include "weir/ingest/holder_search.h"
#include "weir/model/snapshot.h"
#include "weir/target/memory.h"

namespace weir::ingest {

/// What can be told, with a note about what can't. `now` is the target's monotonic clock, where
/// that is known.
model::Surroundings find_surroundings(const gortime::Program& program, target::Memory& memory,
                                      std::optional<Nanos> now, HolderSearch& search, Notes& notes);

/// "global main.queue", or its address in a stripped program.
std::string name_variable(const gortime::Program& program, Address at);

}  // namespace weir::ingest
