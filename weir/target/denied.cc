#include "weir/target/denied.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>

#include "weir/target/proc_file.h"

namespace weir::target {
namespace {

constexpr std::uint64_t cap_sys_ptrace_bit = std::uint64_t{1} << 19;
constexpr std::uint64_t kernel_thread = 0x00200000;  // PF_KTHREAD, linux/sched.h

/// What /proc tells without any right over the process.
struct Facts {
  int pid = 0;
  std::string status;       ///< of the process
  std::string self_status;  ///< of weir
  StatLine stat;
  std::optional<int> ptrace_scope;  ///< empty without Yama

  std::string_view field(std::string_view key) const { return status_field(status, key); }
  std::string_view self(std::string_view key) const { return status_field(self_status, key); }
  std::uint64_t self_caps() const { return parse_number(self("CapEff"), 16).value_or(0); }
  std::string process() const { return fmt::format("process {} ({})", pid, stat.name); }
};

std::string user_name(std::uint64_t uid) {
  std::array<char, 4096> room{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  ::getpwuid_r(static_cast<uid_t>(uid), &entry, room.data(), room.size(), &found);
  return found == nullptr ? fmt::format("user {}", uid) : fmt::format("user {}", entry.pw_name);
}

std::string process_name(int pid) {
  const auto text = find_proc(fmt::format("/proc/{}/stat", pid));
  const auto stat = text ? parse_stat(*text) : std::nullopt;
  return stat ? fmt::format("process {} ({})", pid, stat->name) : fmt::format("process {}", pid);
}

/// TracerPid names the thread that traces; people know its process.
int process_of(int tid) {
  const auto status = find_proc(fmt::format("/proc/{}/status", tid));
  return status ? first_number(status_field(*status, "Tgid"), tid) : tid;
}

bool in_container() {
  return ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0 ||
         ::access("/var/run/secrets/kubernetes.io", F_OK) == 0;
}

Error denied(int os_errno, std::string cause, std::string remedy) {
  return Error{ErrorCode::denied, std::move(cause), {}, os_errno, {std::move(remedy)}};
}

/// "grant CAP_SYS_PTRACE", in the words that fit where weir runs.
std::string grant_ptrace() {
  if (in_container()) {
    return "give the container the capability: docker run --cap-add=SYS_PTRACE, or "
           "securityContext.capabilities.add: [SYS_PTRACE] in Kubernetes";
  }
  return "run weir as root, or give it the capability: setcap cap_sys_ptrace=ep weir";
}

/// The uids (real, effective, saved) of a status file.
std::vector<std::string_view> uids(std::string_view field) {
  auto words = split_blanks(field);
  if (words.size() > 3) words.resize(3);
  return words;
}

std::string_view own_uid(const Facts& facts) {
  const auto own = split_blanks(facts.self("Uid"));
  return own.size() > 3 ? own[3]
                        : std::string_view{};  // the file system uid, as the kernel's check
}

std::optional<Error> of_other_user(const Facts& facts, int os_errno) {
  const std::string_view own = own_uid(facts);
  for (const std::string_view uid : uids(facts.field("Uid"))) {
    if (uid == own) continue;
    const auto theirs = parse_number(uid).value_or(0);
    return denied(os_errno,
                  fmt::format("{} belongs to {}, and weir runs as {}", facts.process(),
                              user_name(theirs), user_name(parse_number(own).value_or(0))),
                  fmt::format("run weir as {} or as root, or {}", user_name(theirs),
                              in_container() ? grant_ptrace() : "with CAP_SYS_PTRACE"));
  }
  return std::nullopt;
}

/// The kernel gives the files in /proc/PID of a process that may not be dumped to root.
std::optional<Error> not_dumpable(const Facts& facts, int os_errno) {
  struct stat info {};
  if (::stat(fmt::format("/proc/{}/status", facts.pid).c_str(), &info) != 0) return std::nullopt;
  const auto ids = uids(facts.field("Uid"));
  if (ids.size() < 2 || info.st_uid == parse_number(ids[1]).value_or(0)) return std::nullopt;
  return denied(os_errno,
                facts.process() +
                    " has made itself unreadable (not dumpable: it has changed its user, runs a "
                    "file with capabilities or without read permission, or asked for it)",
                grant_ptrace());
}

std::optional<Error> more_capable(const Facts& facts, int os_errno) {
  const std::uint64_t theirs = parse_number(facts.field("CapPrm"), 16).value_or(0);
  if ((theirs & ~facts.self_caps()) == 0) return std::nullopt;
  return denied(os_errno,
                facts.process() +
                    " has capabilities that weir lacks, and weir has no "
                    "CAP_SYS_PTRACE",
                grant_ptrace());
}

std::optional<Error> of_other_namespace(const Facts& facts, int os_errno) {
  const auto link = [](const std::string& path) -> std::string {
    std::array<char, 256> room{};
    const ssize_t n = ::readlink(path.c_str(), room.data(), room.size());
    return n < 0 ? std::string{} : std::string(room.data(), static_cast<std::size_t>(n));
  };
  const std::string theirs = link(fmt::format("/proc/{}/ns/user", facts.pid));
  if (theirs.empty() || theirs == link("/proc/self/ns/user")) return std::nullopt;
  return denied(os_errno, facts.process() + " lives in another user namespace",
                "run weir inside that namespace (nsenter --user --target PID), or as root of the "
                "host");
}

std::optional<Error> by_ptrace_scope(const Facts& facts, int os_errno) {
  if (facts.ptrace_scope == 3) {
    return denied(os_errno,
                  "kernel.yama.ptrace_scope is 3: this system lets nobody look into a process",
                  "only a reboot without that setting changes it; reading dumps and "
                  "profiles works without");
  }
  if ((facts.self_caps() & cap_sys_ptrace_bit) != 0) return std::nullopt;
  if (facts.ptrace_scope == 1) {
    return denied(os_errno,
                  fmt::format("kernel.yama.ptrace_scope is 1: without CAP_SYS_PTRACE weir may look "
                              "only into its own children, and {} is none",
                              facts.process()),
                  fmt::format("start the program under weir (weir dump -- PROGRAM), or {}, or "
                              "sysctl kernel.yama.ptrace_scope=0",
                              grant_ptrace()));
  }
  if (facts.ptrace_scope == 2) {
    return denied(os_errno,
                  "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may look into a "
                  "process",
                  grant_ptrace());
  }
  return std::nullopt;
}

std::optional<Error> by_seccomp(const Facts& facts, int os_errno) {
  if (facts.self("Seccomp") != "2") return std::nullopt;
  return denied(os_errno,
                "weir runs under a seccomp filter that seems to forbid looking into processes",
                in_container() ? grant_ptrace() +
                                     " (that also opens Docker's filter), or "
                                     "--security-opt seccomp=unconfined"
                               : "start weir without that filter");
}

Error with_capability(const Facts& facts, int os_errno) {
  if (auto cause = of_other_namespace(facts, os_errno)) return std::move(*cause);
  if (auto cause = by_seccomp(facts, os_errno)) return std::move(*cause);
  const auto module = find_proc("/proc/self/attr/current");
  return denied(os_errno,
                fmt::format("weir has CAP_SYS_PTRACE, and yet the kernel refuses to open {}; most "
                            "likely it lives in a user namespace above weir's, or a security "
                            "module forbids it{}",
                            facts.process(),
                            module && !module->empty()
                                ? fmt::format(" (weir's label: {})", split(*module, '\n')[0])
                                : ""),
                "run weir as root of the host, outside any container");
}

Error without_capability(const Facts& facts, int os_errno) {
  for (const auto look : {of_other_user, not_dumpable, of_other_namespace, more_capable,
                          by_ptrace_scope, by_seccomp}) {
    if (auto cause = look(facts, os_errno)) return std::move(*cause);
  }
  return denied(os_errno, "the kernel refuses to open " + facts.process(), grant_ptrace());
}

Error gone(const std::string& text) {
  return Error{ErrorCode::gone, text, {}, 0, {}};
}

}  // namespace

Error diagnose_denied(int pid, int os_errno, Access access) {
  const auto stat_text = find_proc(fmt::format("/proc/{}/stat", pid));
  const auto stat = stat_text ? parse_stat(*stat_text) : std::nullopt;
  const auto status = find_proc(fmt::format("/proc/{}/status", pid));
  if (!stat || !status) return gone(fmt::format("there is no process {}", pid));
  Facts facts{pid, *status, find_proc("/proc/self/status").value_or(""), *stat, std::nullopt};
  if (stat->state == 'Z' || stat->state == 'X') {
    return gone(fmt::format("{} has ended and waits to be collected by its parent, {}",
                            facts.process(), process_name(stat->parent_pid)));
  }
  if ((stat->flags & kernel_thread) != 0) {
    return denied(os_errno, facts.process() + " is a thread of the kernel",
                  "name the pid of a Go program");
  }
  const int tracer = process_of(first_number(facts.field("TracerPid"), 0));
  if (access == Access::attach && tracer != 0) {
    return denied(
        os_errno, fmt::format("{} is already traced by {}", facts.process(), process_name(tracer)),
        fmt::format("a process can have one tracer: detach or end {} first", process_name(tracer)));
  }
  if (const auto scope = find_proc("/proc/sys/kernel/yama/ptrace_scope")) {
    facts.ptrace_scope = first_number(*scope, 0);
  }
  if (facts.ptrace_scope == 3) return std::move(*by_ptrace_scope(facts, os_errno));
  const bool capable = (facts.self_caps() & cap_sys_ptrace_bit) != 0;
  return capable ? with_capability(facts, os_errno) : without_capability(facts, os_errno);
}

}  // namespace weir::target
