#pragma once
// Reading and picking apart the files of /proc/PID. Internal to weir/target.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::target {

/// Reads /proc/PID/`name` to the end, at most 256 MiB. Errors: gone, denied (diagnosed), io, limit.
Result<std::string> read_proc(int pid, const std::string& name);
/// The same, or nothing: for diagnosis, where a failure is just another fact missing.
std::optional<std::string> find_proc(const std::string& path);
/// Where a link of /proc/PID leads. Errors as above.
Result<std::string> read_proc_link(int pid, const std::string& name);
/// The entries of a directory of /proc/PID whose names are numbers; ascending.
Result<std::vector<int>> list_proc_numbers(int pid, const std::string& name);

/// The text after "`key`:\t" of a /proc/PID/status file, without the line's end; empty if absent.
std::string_view status_field(std::string_view status, std::string_view key);
/// The last of the blank-separated numbers of a field (of NSpid: the innermost); `missing` if none.
int last_number(std::string_view field, int missing);
/// The first one.
int first_number(std::string_view field, int missing);

/// /proc/PID/stat and /proc/PID/task/TID/stat; proc_pid_stat(5).
struct StatLine {
  std::string name;
  char state = '?';
  int parent_pid = 0;
  std::uint64_t flags = 0;  ///< PF_…
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  int thread_count = 0;
  std::uint64_t start_ticks = 0;  ///< since boot
};
std::optional<StatLine> parse_stat(std::string_view text);

/// Clock ticks as time.
Nanos ticks_to_nanos(std::uint64_t ticks);

/// Splits at `separator`; the last piece may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Splits at runs of blanks; no empty pieces.
std::vector<std::string_view> split_blanks(std::string_view text);
/// The whole of `text` as an unsigned number.
std::optional<std::uint64_t> parse_number(std::string_view text, int base = 10);

}  // namespace weir::target
