#include "weir/target/process.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "weir/target/proc_file.h"
#include "weir/target/sockets.h"

namespace weir::target {
namespace {

constexpr std::string_view deleted_suffix = " (deleted)";

std::vector<std::string> parse_command_line(std::string_view text) {
  if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const std::string_view word : split(text, '\0')) out.emplace_back(word);
  return out;
}

/// The link text of /proc/PID/exe, and whether its file has lost that name.
void read_exe_name(int pid, ProcessFacts& facts) {
  auto link = read_proc_link(pid, "exe");
  if (!link) return;  // a zombie or kernel thread has none; another user's isn't shown
  std::string_view name = *link;
  if (name.size() > deleted_suffix.size() && name.ends_with(deleted_suffix)) {
    // A file may really be called "x (deleted)"; only the link count tells.
    struct stat info {};
    const std::string path = fmt::format("/proc/{}/exe", pid);
    facts.exe_deleted = ::stat(path.c_str(), &info) != 0 || info.st_nlink == 0;
    if (facts.exe_deleted) name.remove_suffix(deleted_suffix.size());
  }
  facts.exe_path = name;
}

Result<StatLine> read_stat(int pid, const std::string& name) {
  WEIR_TRY(const std::string text, read_proc(pid, name));
  auto stat = parse_stat(text);
  if (!stat)
    return fail(ErrorCode::invalid, fmt::format("/proc/{}/{} is not understood", pid, name));
  return std::move(*stat);
}

}  // namespace

Result<ProcessFacts> read_process(int pid) {
  WEIR_TRY(const StatLine stat, read_stat(pid, "stat"));
  WEIR_TRY(const std::string status, read_proc(pid, "status"));
  ProcessFacts facts;
  facts.pid = pid;
  facts.inner_pid = last_number(status_field(status, "NSpid"), pid);
  facts.parent_pid = stat.parent_pid;
  facts.tracer_pid = first_number(status_field(status, "TracerPid"), 0);
  const auto uids = split_blanks(status_field(status, "Uid"));
  if (uids.size() > 1) facts.uid = static_cast<unsigned>(parse_number(uids[1]).value_or(0));
  facts.state = stat.state;
  facts.name = stat.name;
  facts.start_time = ticks_to_nanos(stat.start_ticks);
  facts.cpu_time = ticks_to_nanos(stat.user_ticks + stat.system_ticks);
  facts.thread_count = stat.thread_count;
  if (auto line = read_proc(pid, "cmdline")) facts.command_line = parse_command_line(*line);
  read_exe_name(pid, facts);
  return facts;
}

Result<std::vector<int>> list_threads(int pid) {
  return list_proc_numbers(pid, "task");
}

Result<std::vector<ThreadFacts>> read_threads(int pid) {
  WEIR_TRY(const std::vector<int> tids, list_threads(pid));
  std::vector<ThreadFacts> out;
  out.reserve(tids.size());
  for (const int tid : tids) {
    const auto stat = read_stat(pid, fmt::format("task/{}/stat", tid));
    const auto status = read_proc(pid, fmt::format("task/{}/status", tid));
    if (!stat || !status) continue;
    ThreadFacts thread;
    thread.tid = tid;
    thread.inner_tid = last_number(status_field(*status, "NSpid"), tid);
    thread.state = stat->state;
    thread.name = stat->name;
    thread.cpu_time = ticks_to_nanos(stat->user_ticks + stat->system_ticks);
    out.push_back(std::move(thread));
  }
  return out;
}

Result<std::vector<FdFacts>> read_fds(int pid, std::size_t limit) {
  WEIR_TRY(std::vector<int> fds, list_proc_numbers(pid, "fd"));
  if (fds.size() > limit) fds.resize(limit);
  std::vector<FdFacts> out;
  bool any_socket = false;
  for (const int fd : fds) {
    auto link = read_proc_link(pid, fmt::format("fd/{}", fd));
    if (!link && link.error().code == ErrorCode::denied) return fail(std::move(link).error());
    if (!link) continue;  // closed meanwhile
    any_socket = any_socket || link->starts_with("socket:[");
    out.push_back({fd, std::move(*link)});
  }
  if (!any_socket) return out;
  const auto sockets = read_sockets(pid);
  for (FdFacts& fd : out) {
    if (!fd.target.starts_with("socket:[") || !fd.target.ends_with("]")) continue;
    const auto inode = parse_number(std::string_view(fd.target).substr(8, fd.target.size() - 9));
    const auto it = inode ? sockets.find(*inode) : sockets.end();
    if (it != sockets.end()) fd.target = it->second;
  }
  return out;
}

std::vector<Region> parse_maps(std::string_view text) {
  std::vector<Region> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split_blanks(line);  // start-end perms offset device inode [path]
    if (words.size() < 5 || words[1].size() < 4) break;
    const std::size_t dash = words[0].find('-');
    if (dash == std::string_view::npos) break;
    const auto start = parse_number(words[0].substr(0, dash), 16);
    const auto end = parse_number(words[0].substr(dash + 1), 16);
    const auto offset = parse_number(words[2], 16);
    if (!start || !end || !offset || *start >= *end) break;
    Region region;
    region.start = {*start};
    region.end = {*end};
    region.readable = words[1][0] == 'r';
    region.writable = words[1][1] == 'w';
    region.executable = words[1][2] == 'x';
    region.file_offset = *offset;
    if (words.size() > 5) {
      region.path = line.substr(static_cast<std::size_t>(words[5].data() - line.data()));
    }
    out.push_back(std::move(region));
  }
  return out;
}

Result<std::vector<Region>> read_regions(int pid) {
  WEIR_TRY(const std::string text, read_proc(pid, "maps"));
  return parse_maps(text);
}

Result<std::vector<AuxEntry>> read_auxv(int pid) {
  WEIR_TRY(const std::string text, read_proc(pid, "auxv"));
  std::vector<AuxEntry> out;
  for (std::size_t at = 0; at + 16 <= text.size(); at += 16) {
    AuxEntry entry;
    std::memcpy(&entry.type, text.data() + at, 8);
    std::memcpy(&entry.value, text.data() + at + 8, 8);
    if (entry.type == AT_NULL) break;
    out.push_back(entry);
  }
  return out;
}

std::uint64_t find_auxv(const std::vector<AuxEntry>& auxv, std::uint64_t type) {
  const auto it = std::find_if(auxv.begin(), auxv.end(),
                               [&](const AuxEntry& entry) { return entry.type == type; });
  return it == auxv.end() ? 0 : it->value;
}

Result<std::string> find_executable(int pid) {
  std::string path = fmt::format("/proc/{}/exe", pid);
  if (::access(path.c_str(), R_OK) == 0) return path;
  // The file may be of a mount that weir has no right to walk into; a mapping of it is another way.
  WEIR_TRY(const std::vector<AuxEntry> auxv, read_auxv(pid));
  WEIR_TRY(const std::vector<Region> regions, read_regions(pid));
  const Address entry{find_auxv(auxv, AT_ENTRY)};
  for (const Region& region : regions) {
    if (entry < region.start || !(entry < region.end)) continue;
    path = fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, region.start.value, region.end.value);
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return fail(ErrorCode::not_found,
              fmt::format("the executable of process {} can't be opened", pid));
}

Result<LoadBias> load_bias(const std::vector<AuxEntry>& auxv,
                           std::span<const std::byte> elf_header) {
  Elf64_Ehdr header{};
  if (elf_header.size() < sizeof header) return fail(ErrorCode::invalid, "ELF header is cut");
  std::memcpy(&header, elf_header.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) {
    return fail(ErrorCode::invalid, "not a 64-bit ELF file");
  }
  const std::uint64_t entry = find_auxv(auxv, AT_ENTRY);
  if (entry == 0) return fail(ErrorCode::not_found, "the auxiliary vector has no AT_ENTRY");
  return LoadBias{entry - header.e_entry};
}

}  // namespace weir::target
