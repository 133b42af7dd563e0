#pragma once
// What one run of a test touched, so that the copies after it need not find it page by page.
#include <sys/types.h>

#include "weir/sched/process.h"
#include "weir/sched/shared_memory.h"

namespace weir::sched {

/// Looks at `copy`, a copy of `original` that stands at its end. What it wrote to goes into
/// agent::Shared::pages: a copy fetches that at once. What it only read of files is mapped in
/// `original`, whose `thread` stands, in such a way that copies have it from the beginning. What
/// cannot be learned only costs time.
void learn_pages(pid_t copy, ControlledProcess& original, pid_t thread, SharedMemory& memory);

}  // namespace weir::sched
