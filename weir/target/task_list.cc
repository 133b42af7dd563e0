#include "weir/target/task_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "weir/target/denied.h"
#include "weir/target/proc_file.h"

namespace weir::target {

Result<TaskList> TaskList::open(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/task";
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(diagnose_denied(pid, errno, Access::attach));
  return TaskList(fd);
}

TaskList::TaskList(TaskList&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TaskList::~TaskList() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> TaskList::each_thread(const void* context, bool (*visit)(const void*, int)) const {
  alignas(8) char room[16 << 10];
  ::lseek(fd_, 0, SEEK_SET);
  for (;;) {
    const ssize_t n = ::getdents64(fd_, room, sizeof room);
    if (n < 0 && (errno == ENOENT || errno == ESRCH)) return {};
    if (n < 0) return fail(ErrorCode::io, "cannot list the threads", {}, errno);
    if (n == 0) return {};
    for (ssize_t at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const dirent64*>(room + at);
      at += entry->d_reclen;
      if (entry->d_name[0] == '.') continue;
      if (!visit(context, std::atoi(entry->d_name))) return {};
    }
  }
}

std::size_t TaskList::count() const {
  std::size_t count = 0;
  const auto listed = each([&](int) { return ++count > 0; });
  return listed ? count : 0;
}

namespace {

/// As in /proc/PID/stat; X if it isn't there.
char state_of(int pid, int tid) {
  const auto text =
      find_proc("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat");
  const auto stat = text ? parse_stat(*text) : std::nullopt;
  return stat ? stat->state : 'X';
}

}  // namespace

bool has_ended(int pid, int tid) {
  const char state = state_of(pid, tid);
  return state == 'Z' || state == 'X';
}

bool is_runnable(int pid, int tid) {
  return state_of(pid, tid) == 'R';
}

}  // namespace weir::target
