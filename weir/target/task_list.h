#pragma once
// TaskList: the threads of a process, listed without allocating. Internal to weir/target.

#include "weir/base/error.h"

namespace weir::target {

class TaskList {
 public:
  /// Opens /proc/PID/task. Errors: gone, denied, io.
  static Result<TaskList> open(int pid);
  TaskList(TaskList&& other) noexcept;
  TaskList& operator=(TaskList&&) = delete;
  ~TaskList();

  /// Calls `visit` for every thread there is now, until it returns false. A thread that starts
  /// during the call may be missed. An ended process has none. Errors: io.
  template <class Visit>
  Result<void> each(const Visit& visit) const {
    return each_thread(&visit, [](const void* context, int tid) {
      return static_cast<bool>((*static_cast<const Visit*>(context))(tid));
    });
  }
  std::size_t count() const;

 private:
  explicit TaskList(int fd) : fd_(fd) {}
  Result<void> each_thread(const void* context, bool (*visit)(const void*, int)) const;

  int fd_;
};

/// The thread is a zombie or not there any more.
bool has_ended(int pid, int tid);
/// The thread runs or waits for a CPU.
bool is_runnable(int pid, int tid);

}  // namespace weir::target
