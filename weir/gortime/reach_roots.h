#pragma once
// The roots of a proof by reachability that are not goroutines. Internal to reach.h.
#include "weir/base/error.h"
#include "weir/gortime/reach_state.h"

namespace weir::gortime {

struct ReachContext {
  const Program& program;
  target::Memory& memory;
  const HeapMap& heap;
  const ReachState& state;
  bool cgo = false;
  std::span<const MemoryRange> own_memory;  ///< ReachOptions::own_memory
};

/// Marks from every root but goroutines, in this order: pinned objects and the queues of
/// finalizers and cleanups, then finalizers, cleanups and weak pointers that are set, timers,
/// threads, C memory, variables. Errors as find_unreachable().
Result<void> mark_roots(const ReachContext& context, ReachMarker& marker);

}  // namespace weir::gortime
