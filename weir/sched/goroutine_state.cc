#include "weir/sched/goroutine_state.h"

namespace weir::sched {

std::string_view state_word(std::uint32_t status) {
  switch (status) {
    case 1:
      return "runnable";
    case 2:
      return "running";
    case 3:
      return "syscall";
    case status_waiting:
      return "waiting";
    case 9:
      return "preempted";
    case 10:  // _Gleaked, go1.26–1.27: waiting, and marked by the leak profile
      return "leaked";
    default:
      return {};
  }
}

}  // namespace weir::sched
