#include "weir/model/trace.h"

#include "weir/model/trace_diff.h"
#include "weir/model/trace_report.h"

namespace weir::model {

std::string_view to_string(TraceKind kind) {
  constexpr std::string_view names[trace_kind_count] = {
      "running",   "woken",        "created",  "preempted",  "after syscall", "syscall",
      "chan send", "chan receive", "select",   "sync.Mutex", "sync.RWMutex",  "sync.WaitGroup",
      "sync.Cond", "sync",         "network",  "sleep",      "GC assist",     "GC",
      "forever",   "coroutine",    "synctest", "system",     "other",         "unknown"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(TraceBy by) {
  constexpr std::string_view names[] = {"stack", "func",   "creator", "start",
                                        "task",  "region", "proc",    "goroutine"};
  return names[static_cast<std::size_t>(by)];
}

const char* to_string(TraceChange change) {
  constexpr const char* names[] = {"noise", "longer", "shorter", "unknown"};
  return names[static_cast<std::size_t>(change)];
}

}  // namespace weir::model
