#pragma once
// Sockets of a process by inode, as text. Internal to weir/target.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::target {

/// Reads /proc/PID/net/{tcp,tcp6,udp,udp6,unix}, the target's network namespace. Files that can't
/// be read are left out.
std::unordered_map<std::uint64_t, std::string> read_sockets(int pid);

/// Adds the sockets of one such file. `kind` is "tcp", "tcp6", "udp", "udp6" or "unix".
void parse_sockets(std::string_view text, std::string_view kind,
                   std::unordered_map<std::uint64_t, std::string>& into);

}  // namespace weir::target
