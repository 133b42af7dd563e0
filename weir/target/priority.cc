#include "weir/target/priority.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>

namespace weir::target {

RaisedPriority::RaisedPriority(bool wanted) {
  if (!wanted) return;
  sched_param old{};
  old_policy_ = sched_getscheduler(0);
  sched_param raised{};
  raised.sched_priority = sched_get_priority_min(SCHED_FIFO);
  // Real-time before nice: only it wakes at once on a busy machine, also within a cgroup.
  if (old_policy_ >= 0 && sched_getparam(0, &old) == 0 && old_policy_ != SCHED_FIFO &&
      old_policy_ != SCHED_RR &&
      sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &raised) == 0) {
    old_value_ = old.sched_priority;
    how_ = How::real_time;
    return;
  }
  errno = 0;
  old_value_ = getpriority(PRIO_PROCESS, 0);  // of this thread, on Linux
  if (errno == 0 && setpriority(PRIO_PROCESS, 0, -20) == 0) how_ = How::nice;
}

void RaisedPriority::lower() {
  if (how_ == How::real_time) {
    sched_param old{};
    old.sched_priority = old_value_;
    sched_setscheduler(0, old_policy_, &old);
  } else if (how_ == How::nice) {
    setpriority(PRIO_PROCESS, 0, old_value_);
  }
  how_ = How::none;
}

}  // namespace weir::target
