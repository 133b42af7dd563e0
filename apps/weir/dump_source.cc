#include "apps/weir/dump_source.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "weir/ingest/input.h"
#include "weir/ingest/recorded.h"
#include "weir/ingest/second_look.h"
#include "weir/target/recording.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
constexpr auto grace = 2s;      // from SIGTERM to SIGKILL
constexpr auto moment = 100ms;  // longer than waits that only look like a deadlock mostly take

/// The process by a copy of itself, with a proof.
Result<ingest::Proven> prove_process(int pid, const DumpOptions& options,
                                     target::Recording* record) {
  WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
  return reader.read_proof(options.proof, record);
}

Result<ingest::Proven> without_proof(Result<model::Snapshot> snapshot) {
  if (!snapshot) return fail(std::move(snapshot).error());
  ingest::Proven found;
  found.snapshot = std::move(*snapshot);
  return found;
}

Result<ingest::Proven> look_at_process(int pid, const DumpOptions& options,
                                       target::Recording* record) {
  if (kill(pid, 0) != 0 && errno == ESRCH)
    return fail(ErrorCode::not_found, fmt::format("there is no process {}", pid));
  if (options.for_proof) return prove_process(pid, options, record);
  WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
  return without_proof(reader.read_snapshot(options.live, record));
}

Result<ingest::Proven> look_at_core(const std::string& path, const DumpOptions& options,
                                    target::Recording* record) {
  auto found = options.for_proof
                   ? ingest::read_core_proof(path, options.core, options.proof, record)
                   : without_proof(ingest::read_core(path, options.core, record));
  if (!found) return fail(std::move(found).error().with(path));
  return found;
}

/// A process or a core; with -o, it becomes a recording too.
Result<ingest::Proven> look_and_record(
    const DumpOptions& options,
    const std::function<Result<ingest::Proven>(target::Recording*)>& look) {
  if (options.recording.empty()) return look(nullptr);
  target::Recording recording;
  WEIR_TRY(auto found, look(&recording));
  recording.weir_version = WEIR_VERSION;
  if (options.for_proof && !found.proof.refused.empty())
    found.snapshot.notes.add(Severity::warning,
                             "the recording proves nothing, because " + found.proof.refused);
  WEIR_TRY_VOID(target::write_recording(options.recording, recording));
  return found;
}

Result<ingest::Proven> look_at(const std::string& name, const DumpOptions& options) {
  if (const auto pid = ingest::parse_pid(name))
    return look_and_record(
        options, [&](target::Recording* record) { return look_at_process(*pid, options, record); });
  std::error_code error;
  if (!std::filesystem::exists(name, error))
    return fail(ErrorCode::not_found, "neither a process id nor a file", name);
  if (ingest::is_core(name))
    return look_and_record(
        options, [&](target::Recording* record) { return look_at_core(name, options, record); });
  if (!options.recording.empty())
    return fail(ErrorCode::usage, "-o records a process or a core, and this is a recording already",
                name);
  if (options.for_proof) return ingest::read_recording_proof(name, options.proof);
  return without_proof(ingest::read_recording(name));
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
  WEIR_TRY(auto found, look_at(name, options));
  return std::move(found.snapshot);
}

Result<ingest::Proven> prove_source(const std::string& name, const DumpOptions& options) {
  DumpOptions with = options;
  with.for_proof = true;
  auto found = look_at(name, with);
  if (found || !ingest::parse_pid(name)) return found;
  // The process cannot be copied, but it can be looked at.
  ingest::Proven only;
  only.proof.refused = to_string(found.error());
  WEIR_TRY(only.snapshot, dump_source(name, options));
  return only;
}

void look_again(const std::string& name, model::Snapshot& snapshot) {
  const auto pid = ingest::parse_pid(name);
  if (!pid) return;
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(moment);
  const auto census = [&]() -> Result<std::vector<ingest::CensusEntry>> {
    WEIR_TRY(auto reader, ingest::LiveReader::open(*pid));
    return reader.read_census();
  }();
  if (census) {
    const Nanos after{(std::chrono::steady_clock::now() - start).count()};
    ingest::mark_who_ran(*census, after, snapshot);
  } else {
    snapshot.notes.add(
        Severity::warning,
        "whether those that wait have run since could not be seen: " + to_string(census.error()));
  }
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
  auto snapshot = dump_source(std::to_string(pid), options);
  kill(pid, SIGTERM);
  if (!ended_by(pid, std::chrono::steady_clock::now() + grace)) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  return snapshot;
}

}  // namespace weir::app
