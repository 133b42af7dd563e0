#include "weir/target/proc_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

#include "weir/target/denied.h"

namespace weir::target {
namespace {

constexpr std::size_t size_limit = std::size_t{256} << 20;

Error error_of(int pid, int error, const std::string& path) {
  if (error == ENOENT || error == ESRCH) {
    return Error{ErrorCode::gone, "process " + std::to_string(pid) + " has ended", {}, 0, {}};
  }
  if (error == EACCES || error == EPERM) return diagnose_denied(pid, error);
  return Error{ErrorCode::io, "cannot read", path, error, {}};
}

/// 0, or errno.
int read_all(const std::string& path, std::string& out) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = 0;
  while (out.size() < size_limit) {
    const std::size_t size = out.size();
    const std::size_t step = std::max<std::size_t>(4096, size);
    out.resize(size + step);
    const ssize_t n = ::read(fd, out.data() + size, step);
    out.resize(size + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n <= 0) break;
  }
  ::close(fd);
  return error;
}

std::string proc_path(int pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

Result<std::string> read_proc(int pid, const std::string& name) {
  const std::string path = proc_path(pid, name);
  std::string out;
  if (const int error = read_all(path, out)) return fail(error_of(pid, error, path));
  if (out.size() >= size_limit) return fail(ErrorCode::limit, "larger than 256 MiB", path);
  return out;
}

std::optional<std::string> find_proc(const std::string& path) {
  std::string out;
  if (read_all(path, out) != 0) return std::nullopt;
  return out;
}

Result<std::string> read_proc_link(int pid, const std::string& name) {
  const std::string path = proc_path(pid, name);
  std::string out(4096, '\0');
  const ssize_t n = ::readlink(path.c_str(), out.data(), out.size());
  if (n < 0) return fail(error_of(pid, errno, path));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

Result<std::vector<int>> list_proc_numbers(int pid, const std::string& name) {
  const std::string path = proc_path(pid, name);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) return fail(error_of(pid, errno, path));
  std::vector<int> out;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (const auto number = parse_number(entry->d_name)) out.push_back(static_cast<int>(*number));
  }
  if (errno != 0) return fail(error_of(pid, errno, path));
  std::sort(out.begin(), out.end());
  return out;
}

std::string_view status_field(std::string_view status, std::string_view key) {
  for (const std::string_view line : split(status, '\n')) {
    if (line.size() > key.size() && line.substr(0, key.size()) == key && line[key.size()] == ':') {
      const std::size_t at = line.find_first_not_of(" \t", key.size() + 1);
      return at == std::string_view::npos ? std::string_view{} : line.substr(at);
    }
  }
  return {};
}

int last_number(std::string_view field, int missing) {
  const auto words = split_blanks(field);
  const auto number = words.empty() ? std::nullopt : parse_number(words.back());
  return number ? static_cast<int>(*number) : missing;
}

int first_number(std::string_view field, int missing) {
  const auto words = split_blanks(field);
  const auto number = words.empty() ? std::nullopt : parse_number(words.front());
  return number ? static_cast<int>(*number) : missing;
}

std::optional<StatLine> parse_stat(std::string_view text) {
  // The name may hold blanks and parentheses; the last ')' ends it.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  const auto words = split_blanks(text.substr(close + 1));
  if (words.size() < 20 || words[0].size() != 1) return std::nullopt;
  const auto word = [&](std::size_t field) {  // numbered as in proc_pid_stat(5)
    return parse_number(words[field - 3]).value_or(0);
  };
  StatLine out;
  out.name = text.substr(open + 1, close - open - 1);
  out.state = words[0][0];
  out.parent_pid = static_cast<int>(word(4));
  out.flags = word(9);
  out.user_ticks = word(14);
  out.system_ticks = word(15);
  out.thread_count = static_cast<int>(word(20));
  out.start_ticks = word(22);
  return out;
}

Nanos ticks_to_nanos(std::uint64_t ticks) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return {static_cast<std::int64_t>(ticks * (1'000'000'000 / per_second))};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> split_blanks(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find_first_not_of(" \t\n");
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at);
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace weir::target
