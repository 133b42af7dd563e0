#include "weir/target/processes.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "weir/target/proc_file.h"

namespace weir::target {

std::string executable_of(int pid) {
  auto link = read_proc_link(pid, "exe");
  if (!link) return {};
  // The kernel's word for a file without a name, as after an upgrade in place.
  constexpr std::string_view deleted = " (deleted)";
  if (link->ends_with(deleted)) link->resize(link->size() - deleted.size());
  return *link;
}

std::vector<int> processes_of(const std::string& executable) {
  std::vector<int> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto pid = parse_number(entry.path().filename().string());
    if (!pid || static_cast<int>(*pid) == getpid()) continue;
    if (executable_of(static_cast<int>(*pid)) == executable) pids.push_back(static_cast<int>(*pid));
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace weir::target
