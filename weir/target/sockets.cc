#include "weir/target/sockets.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>

#include "weir/target/proc_file.h"

namespace weir::target {
namespace {

constexpr std::string_view states[] = {"",
                                       "",
                                       " (syn-sent)",
                                       " (syn-recv)",
                                       " (fin-wait)",
                                       " (fin-wait)",
                                       " (time-wait)",
                                       " (closed)",
                                       " (close-wait)",
                                       " (last-ack)",
                                       " (listen)",
                                       " (closing)"};

/// "0100007F:0050" as "127.0.0.1:80". The kernel prints the address as 32-bit words in its own byte
/// order, the port as a number (net/ipv4/tcp_ipv4.c, get_tcp4_sock).
std::optional<std::string> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < colon / 8; ++i) {
    const auto word = parse_number(text.substr(i * 8, 8), 16);
    if (!word) return std::nullopt;
    words[i] = static_cast<std::uint32_t>(*word);
  }
  const auto port = parse_number(text.substr(colon + 1), 16);
  if (!port) return std::nullopt;
  char name[INET6_ADDRSTRLEN] = {};
  const bool v6 = colon == 32;
  if (inet_ntop(v6 ? AF_INET6 : AF_INET, words.data(), name, sizeof name) == nullptr) {
    return std::nullopt;
  }
  return v6 ? fmt::format("[{}]:{}", name, *port) : fmt::format("{}:{}", name, *port);
}

bool is_unset(std::string_view endpoint) {
  return endpoint.find_first_not_of("0:") == std::string_view::npos;
}

void parse_inet(std::string_view line, std::string_view kind,
                std::unordered_map<std::uint64_t, std::string>& into) {
  const auto words = split_blanks(line);  // sl local remote st tx:rx tr:when retr uid timeout inode
  if (words.size() < 10) return;
  const auto inode = parse_number(words[9]);
  const auto local = parse_endpoint(words[1]);
  const auto remote = parse_endpoint(words[2]);
  const auto state = parse_number(words[3], 16);
  if (!inode || *inode == 0 || !local || !remote || !state) return;
  const std::string_view protocol = kind.substr(0, 3);
  std::string text = fmt::format("{} {}", protocol, *local);
  if (!is_unset(words[2])) text += " -> " + *remote;
  if (protocol == "tcp" && *state < std::size(states)) text += states[*state];
  into.emplace(*inode, std::move(text));
}

void parse_unix(std::string_view line, std::unordered_map<std::uint64_t, std::string>& into) {
  const auto words = split_blanks(line);  // num refs protocol flags type state inode [path]
  if (words.size() < 7) return;
  const auto inode = parse_number(words[6]);
  if (!inode) return;
  std::string text = "unix";
  if (words.size() > 7) {  // a path may hold blanks: up to the end of the line
    const auto at = static_cast<std::size_t>(words[7].data() - line.data());
    text += ' ';
    text += line.substr(at);
  }
  constexpr std::uint64_t listens = 0x10000;  // __SO_ACCEPTCON
  if (parse_number(words[3], 16).value_or(0) & listens) text += " (listen)";
  into.emplace(*inode, std::move(text));
}

}  // namespace

void parse_sockets(std::string_view text, std::string_view kind,
                   std::unordered_map<std::uint64_t, std::string>& into) {
  bool heading = true;
  for (const std::string_view line : split(text, '\n')) {
    if (heading) {
      heading = false;
    } else if (kind == "unix") {
      parse_unix(line, into);
    } else {
      parse_inet(line, kind, into);
    }
  }
}

std::unordered_map<std::uint64_t, std::string> read_sockets(int pid) {
  std::unordered_map<std::uint64_t, std::string> out;
  for (const std::string_view kind : {"tcp", "tcp6", "udp", "udp6", "unix"}) {
    const auto text = find_proc(fmt::format("/proc/{}/net/{}", pid, kind));
    if (text) parse_sockets(*text, kind, out);
  }
  return out;
}

}  // namespace weir::target
