#include "weir/ingest/schedtrace.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "weir/gotrace/schedtrace.h"

namespace weir::ingest {
namespace {

model::SchedSample to_model(const gotrace::SchedSample& from) {
  model::SchedSample to;
  constexpr std::uint64_t most_millis = 9'000'000'000'000;
  to.at = Nanos{static_cast<std::int64_t>(std::min(from.millis, most_millis)) * 1'000'000};
  to.gomaxprocs = from.gomaxprocs;
  to.idle_procs = from.idle_procs;
  to.threads = from.threads;
  to.run_queue = from.run_queue;
  for (const std::uint64_t local : from.local_queues) {
    to.local_queues += local;
    to.longest_local = std::max(to.longest_local, local);
  }
  to.sched_ticks = from.sched_ticks;
  to.detailed = from.detailed;
  to.gc_waiting = from.gc_waiting;
  to.waiting = from.waiting;
  to.waiting_for = from.waiting_for;
  return to;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

void pass_on(std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = write(STDERR_FILENO, rest.data(), rest.size());
    if (n < 0 && errno != EINTR) return;
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::vector<std::string> with_godebug(const std::vector<std::string>& environment,
                                      const std::string& setting) {
  constexpr std::string_view name = "GODEBUG=";
  std::vector<std::string> all;
  std::string godebug = setting;
  for (const std::string_view entry : environment) {
    if (!entry.starts_with(name))
      all.emplace_back(entry);
    else if (entry.size() > name.size())
      godebug = fmt::format("{},{}", entry.substr(name.size()), setting);
  }
  all.push_back(std::string(name) + godebug);
  return all;
}

Result<SchedLines> read_sched_lines(int fd, const std::function<void(std::string_view)>& others) {
  return read_sched_lines([fd](char* to, std::size_t size) { return ::read(fd, to, size); },
                          others);
}

Result<SchedLines> read_sched_lines(const std::function<ssize_t(char*, std::size_t)>& read,
                                    const std::function<void(std::string_view)>& others) {
  SchedLines lines;
  std::uint64_t left_out = 0;
  gotrace::SchedParser parser(
      [&](const gotrace::SchedSample& sample) {
        if (lines.samples.size() < most_sched_samples)
          lines.samples.push_back(to_model(sample));
        else
          ++left_out;
      },
      [&](std::string_view line) {
        ++lines.other_lines;
        if (others) others(line);
      });
  std::string piece(64 << 10, '\0');
  while (true) {
    const ssize_t got = read(piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot be read", {}, errno);
    if (got == 0) break;
    parser.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
  }
  parser.finish();
  if (left_out != 0)
    lines.notes.add({Severity::loss, "samples above a million are left out", {}, {}, left_out});
  if (parser.cut_lines() != 0)
    lines.notes.add({Severity::loss, "a line above 1 MiB is cut", {}, {}, parser.cut_lines()});
  return lines;
}

Result<SchedLines> read_sched_file(const std::string& name) {
  const int fd = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::not_found
                           : errno == EACCES ? ErrorCode::denied
                                             : ErrorCode::io;
    return fail(code, "cannot be opened", name, errno);
  }
  auto lines = read_sched_lines(fd, nullptr);
  if (fd != STDIN_FILENO) close(fd);
  if (!lines) return fail(std::move(lines).error().with(name));
  if (lines->samples.empty())
    return fail(
        ErrorCode::not_found,
        fmt::format("there is no line of GODEBUG=schedtrace in it ({} others)", lines->other_lines),
        name);
  return lines;
}

Result<SchedRun> run_with_schedtrace(const std::vector<std::string>& argv, int millis,
                                     bool detail) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe", {}, errno);
  std::vector<std::string> words = argv;
  std::vector<std::string> inherited;
  for (char** entry = environ; *entry != nullptr; ++entry) inherited.emplace_back(*entry);
  std::vector<std::string> environment = with_godebug(
      inherited, fmt::format("schedtrace={}{}", millis, detail ? ",scheddetail=1" : ""));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0].c_str(), &actions, nullptr,
                                 pointers_to(words).data(), pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    const ErrorCode code = error == ENOENT   ? ErrorCode::not_found
                           : error == EACCES ? ErrorCode::denied
                                             : ErrorCode::io;
    return fail(code, "cannot start the program", argv[0], error);
  }
  auto lines = read_sched_lines(ends[0], pass_on);
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!lines) return fail(lines.error());
  SchedRun run{std::move(*lines), 0};
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

}  // namespace weir::ingest
