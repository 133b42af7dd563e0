#pragma once
// Whether a layout fits the program that runs: what the Go runtime keeps true of every goroutine
// that waits, tried with the layout's offsets. A wrong offset breaks at least one of them.
#include "weir/base/error.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/layout.h"
#include "weir/gosym/table.h"
#include "weir/target/memory.h"

namespace weir::gortime {

struct LayoutCheck {
  const Layout& layout;
  const Globals& globals;
  const gosym::Table& table;
  LoadBias bias;
};

/// Looks at up to a thousand waiting goroutines: their stack bounds and saved stack pointer, the
/// saved pc, g.sched.g and sudog.g, which point back at the g, ids that differ, the functions that
/// gopc and startpc are in, wait reasons in range, the channels of g.waiting, and the m of each P.
/// The program may run: a goroutine that changes meanwhile is left out. Returns how many were
/// looked at. Errors: unsupported, naming what does not fit, or that too few goroutines wait to
/// tell; and those of reading.
Result<std::size_t> check_layout(const LayoutCheck& check, target::Memory& memory);

}  // namespace weir::gortime
