#pragma once
// What the kernel tells about a process through /proc. Nothing here stops or traces it; the values
// are of slightly different instants, and a process may end between any two calls
// (ErrorCode::gone).
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/target/memory.h"

namespace weir::target {

/// One thread. `tid` is the number weir uses for it; `inner_tid` the one it has in its own pid
/// namespace, which is what the Go runtime keeps in m.procid. Equal without a pid namespace.
struct ThreadFacts {
  int tid = 0;
  int inner_tid = 0;
  char state = '?';  ///< as in /proc/PID/stat: R S D T t Z X I
  std::string name;
  Nanos cpu_time;  ///< user + system; resolution is the kernel's clock tick (10 ms)
};

/// One open file descriptor. `target` is the link text of /proc/PID/fd, with sockets resolved in
/// the target's own network namespace: "tcp 127.0.0.1:80 -> 10.0.0.1:5000", "tcp [::]:80 (listen)",
/// "udp 0.0.0.0:53", "unix /run/x.sock", "unix @abstract"; "socket:[123]" if it is of another kind.
struct FdFacts {
  int fd = -1;
  std::string target;
};

/// One entry of the auxiliary vector (AT_ENTRY, AT_PHDR … of <elf.h>).
struct AuxEntry {
  std::uint64_t type = 0;
  std::uint64_t value = 0;
  bool operator==(const AuxEntry&) const = default;
};

/// What is true of the process as a whole.
struct ProcessFacts {
  int pid = 0;
  int inner_pid = 0;   ///< in its own pid namespace
  int parent_pid = 0;  ///< 0 if the parent is outside weir's pid namespace
  int tracer_pid = 0;  ///< 0 = nobody traces it
  unsigned uid = 0;    ///< effective
  char state = '?';    ///< of the main thread; Z = ended, not yet collected by its parent
  std::string name;    ///< comm: at most 15 bytes
  std::vector<std::string> command_line;
  std::string exe_path;  ///< as the target names it (its mount namespace), " (deleted)" removed
  bool exe_deleted =
      false;         ///< the name is gone or names another file by now; the content is there
  Nanos start_time;  ///< since boot (CLOCK_BOOTTIME), clock tick resolution; with pid it identifies
                     ///< the process
  Nanos cpu_time;
  int thread_count = 0;
};

/// Errors of every function below: gone; denied (with cause and remedy, denied.h); io.
Result<ProcessFacts> read_process(int pid);
/// Threads of weir's view; ascending tids. Threads that end meanwhile are left out.
Result<std::vector<ThreadFacts>> read_threads(int pid);
/// Just the tids.
Result<std::vector<int>> list_threads(int pid);
/// Ascending; at most `limit` of them.
Result<std::vector<FdFacts>> read_fds(int pid, std::size_t limit = 1 << 20);
/// /proc/PID/maps, ascending.
Result<std::vector<Region>> read_regions(int pid);
/// Up to and without AT_NULL.
Result<std::vector<AuxEntry>> read_auxv(int pid);
/// The value of the first entry of `type`, or 0.
std::uint64_t find_auxv(const std::vector<AuxEntry>& auxv, std::uint64_t type);

/// A path that opens the file the process executes, whatever its name is by now and whatever mount
/// namespace it lives in: /proc/PID/exe, or an entry of /proc/PID/map_files. Valid while the
/// process is.
Result<std::string> find_executable(int pid);

/// How far the kernel moved the main executable: AT_ENTRY - e_entry. `elf_header` is its first 64
/// bytes. Errors: invalid when it is no 64-bit ELF header; not_found without AT_ENTRY.
Result<LoadBias> load_bias(const std::vector<AuxEntry>& auxv,
                           std::span<const std::byte> elf_header);

/// Parses the content of /proc/PID/maps; stops at the first line that isn't one.
std::vector<Region> parse_maps(std::string_view text);

}  // namespace weir::target
