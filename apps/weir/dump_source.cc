#include "apps/weir/dump_source.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "weir/ingest/input.h"
#include "weir/ingest/recorded.h"
#include "weir/target/recording.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
constexpr auto grace = 2s;  // from SIGTERM to SIGKILL

Result<model::Snapshot> dump_process(int pid, const DumpOptions& options) {
  if (kill(pid, 0) != 0 && errno == ESRCH)
    return fail(ErrorCode::not_found, fmt::format("there is no process {}", pid));
  WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
  if (options.recording.empty()) return reader.read_snapshot(options.live);
  target::Recording recording;
  recording.weir_version = WEIR_VERSION;
  WEIR_TRY(auto snapshot, reader.read_snapshot(options.live, &recording));
  WEIR_TRY_VOID(target::write_recording(options.recording, recording));
  return snapshot;
}

/// With -o, the core becomes a recording too.
Result<model::Snapshot> dump_core(const std::string& path, const DumpOptions& options) {
  if (options.recording.empty()) return ingest::read_core(path, options.core);
  target::Recording recording;
  recording.weir_version = WEIR_VERSION;
  WEIR_TRY(auto snapshot, ingest::read_core(path, options.core, &recording));
  WEIR_TRY_VOID(target::write_recording(options.recording, recording));
  return snapshot;
}

/// True once the child has ended; false at the deadline.
bool ended_by(pid_t pid, std::chrono::steady_clock::time_point deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    if (waitpid(pid, nullptr, WNOHANG) != 0) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

}  // namespace

Result<model::Snapshot> dump_source(const std::string& name, const DumpOptions& options) {
  if (const auto pid = ingest::parse_pid(name)) return dump_process(*pid, options);
  std::error_code error;
  if (!std::filesystem::exists(name, error))
    return fail(ErrorCode::not_found, "neither a process id nor a file", name);
  if (ingest::is_core(name)) {
    auto snapshot = dump_core(name, options);
    if (!snapshot) return fail(std::move(snapshot).error().with(name));
    return snapshot;
  }
  if (!options.recording.empty())
    return fail(ErrorCode::usage, "-o records a process or a core, and this is a recording already",
                name);
  return ingest::read_recording(name);
}

Result<model::Snapshot> dump_program(const std::vector<std::string>& argv,
                                     const DumpOptions& options) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, pointers[0], nullptr, nullptr, pointers.data(), environ);
  if (error != 0) return fail(ErrorCode::io, "cannot start the program", argv[0], error);
  const auto start = std::chrono::steady_clock::now();
  if (ended_by(pid, start + std::chrono::nanoseconds(options.after.value)))
    return fail(ErrorCode::gone,
                fmt::format("{} ended before weir looked at it, {} after its start; -after sets "
                            "that, and `weir exec` looks at the end",
                            argv[0], to_text(options.after)));
  auto snapshot = dump_process(pid, options);
  kill(pid, SIGTERM);
  if (!ended_by(pid, std::chrono::steady_clock::now() + grace)) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  return snapshot;
}

}  // namespace weir::app
