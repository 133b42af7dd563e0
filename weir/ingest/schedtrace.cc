#include "weir/ingest/schedtrace.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

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

SchedCollector::SchedCollector(std::function<void(std::string_view)> others,
                               std::function<void(const model::SchedSample&)> on_sample)
    : parser_(
          [this, on_sample = std::move(on_sample)](const gotrace::SchedSample& sample) {
            model::SchedSample made = to_model(sample);
            if (on_sample) on_sample(made);
            if (lines_.samples.size() < most_sched_samples)
              lines_.samples.push_back(std::move(made));
            else
              ++left_out_;
          },
          [this, others = std::move(others)](std::string_view line) {
            ++lines_.other_lines;
            if (others) others(line);
          }) {}

SchedLines SchedCollector::finish() {
  parser_.finish();
  if (left_out_ != 0)
    lines_.notes.add({Severity::loss, "samples above a million are left out", {}, {}, left_out_});
  if (parser_.cut_lines() != 0)
    lines_.notes.add({Severity::loss, "a line above 1 MiB is cut", {}, {}, parser_.cut_lines()});
  return std::move(lines_);
}

Result<SchedLines> read_sched_lines(const std::function<ssize_t(char*, std::size_t)>& read,
                                    const std::function<void(std::string_view)>& others) {
  SchedCollector collector(others, nullptr);
  std::string piece(64 << 10, '\0');
  while (true) {
    const ssize_t got = read(piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot be read", {}, errno);
    if (got == 0) return collector.finish();
    collector.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
  }
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

}  // namespace weir::ingest
