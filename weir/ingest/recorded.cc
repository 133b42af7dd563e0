#include "weir/ingest/recorded.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <unordered_map>

#include "weir/base/assert.h"
#include "weir/ingest/frozen.h"
#include "weir/ingest/proof.h"

namespace weir::ingest {
namespace {

Moment moment_of(const target::Recording& recording) {
  Moment moment;
  if (recording.monotonic_at.value != 0) moment.monotonic_now = recording.monotonic_at;
  for (const target::RecordedThread& thread : recording.threads) {
    moment.thread_ids[thread.facts.inner_tid] = thread.facts.tid;
    if (thread.has_registers) moment.registers[thread.facts.inner_tid] = thread.registers;
  }
  for (const target::FdFacts& fd : recording.fds) moment.fds[fd.fd] = fd.target;
  return moment;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

model::Source source_of(const target::Recording& recording, const gortime::Program& program,
                        std::string name) {
  model::Source source;
  source.kind = model::SourceKind::recording;
  source.name = std::move(name);
  source.pid = recording.process.pid;
  source.executable = recording.process.exe_path;
  source.build_id = recording.build_id;
  source.go_version = program.go_version();
  source.arch = elf::to_string(program.file().machine());
  source.command_line = join(recording.process.command_line);
  if (recording.taken_at.value != 0) source.taken_at = recording.taken_at;
  return source;
}

}  // namespace

Result<model::Snapshot> read_recording(const std::string& path) {
  WEIR_TRY(auto recording, target::read_recording(path));
  return decode_recording(std::move(recording), std::filesystem::path(path).filename().string());
}

namespace {

/// What a recording says of itself, beside its memory.
void complete(model::Snapshot& snapshot, const target::Recording& recording) {
  snapshot.consistent = recording.consistent;
  if (recording.stopped) snapshot.stopped = recording.held;
  snapshot.notes = recording.notes;
  snapshot.partial = std::any_of(snapshot.notes.all().begin(), snapshot.notes.all().end(),
                                 [](const Note& note) { return note.severity == Severity::loss; });
}

/// Hands `look` the program of a recording, found through `memory`.
template <class T>
Result<T> open_recording(const target::Recording& recording, target::Memory& memory,
                         const std::function<Result<T>(gortime::Program&)>& look) {
  WEIR_ASSERT(recording.packed.sections.empty());  // it was read, not just made
  if (recording.images.empty())
    return fail(ErrorCode::invalid, "the recording has no pages of the executable");
  WEIR_TRY(const auto file, target::ExpandedFile::make(recording.images[0]));
  WEIR_TRY(const LoadBias bias,
           target::load_bias(recording.auxv,
                             file.bytes().first(std::min<std::size_t>(64, file.bytes().size()))));
  WEIR_TRY(auto program, gortime::Program::open(file.bytes(), memory, bias, recording.hints));
  return look(program);
}

std::vector<gortime::ReachThread> threads_of(const target::Recording& recording) {
  std::vector<gortime::ReachThread> threads;
  for (const target::RecordedThread& thread : recording.threads)
    if (thread.has_registers)
      threads.push_back({thread.facts.inner_tid, thread.registers, thread.vectors});
  return threads;
}

std::string why_no_proof(const target::Recording& recording) {
  if (!recording.for_proof)
    return "the recording does not have the heap; weir dump -proof -o FILE makes one that has";
  if (!recording.consistent || recording.memory.known_regions().empty())
    return "the recording is not of one instant, or lacks the list of mappings";
  return {};
}

Result<model::Snapshot> look_at(const target::Recording& recording, target::Memory& memory,
                                const std::string& name) {
  return open_recording<model::Snapshot>(
      recording, memory, [&](gortime::Program& program) -> Result<model::Snapshot> {
        WEIR_TRY(auto snapshot, read_frozen(program, memory, moment_of(recording)));
        snapshot.source = source_of(recording, program, name);
        complete(snapshot, recording);
        return snapshot;
      });
}

}  // namespace

Result<model::Snapshot> decode_recording(target::Recording recording, const std::string& name) {
  return look_at(recording, recording.memory, name);
}

Result<Proven> read_recording_proof(const std::string& path, const ProofOptions& options) {
  WEIR_TRY(auto recording, target::read_recording(path));
  return decode_recording_proof(recording, recording.memory,
                                std::filesystem::path(path).filename().string(), options);
}

Result<Proven> decode_recording_proof(const target::Recording& recording, target::Memory& memory,
                                      const std::string& name, const ProofOptions& options) {
  Proven proven;
  if (std::string why = why_no_proof(recording); !why.empty()) {
    proven.proof.refused = std::move(why);
    WEIR_TRY(proven.snapshot, look_at(recording, memory, name));
    return proven;
  }
  return open_recording<Proven>(
      recording, memory, [&](gortime::Program& program) -> Result<Proven> {
        WEIR_TRY(proven, prove_frozen(program, memory, moment_of(recording), threads_of(recording),
                                      reach_options(options, false)));
        proven.snapshot.source = source_of(recording, program, name);
        complete(proven.snapshot, recording);
        proven.proof.stopped = proven.snapshot.stopped;
        return proven;
      });
}

void keep_vectors(target::Recording& recording, const std::vector<gortime::ReachThread>& threads) {
  recording.for_proof = true;
  std::unordered_map<int, const gortime::ReachThread*> by_id;
  for (const gortime::ReachThread& thread : threads) by_id[thread.go_id] = &thread;
  for (target::RecordedThread& thread : recording.threads) {
    const auto found = by_id.find(thread.facts.inner_tid);
    if (found != by_id.end()) thread.vectors = found->second->vectors;
  }
}

void keep_moment(target::Recording& recording, const gortime::Program& program,
                 const Moment& moment, const model::Snapshot& snapshot,
                 const target::ProcessFacts& facts, const bytes::PageSet& touched) {
  recording.process = facts;
  recording.arch =
      program.file().machine() == elf::Machine::arm64 ? target::Arch::arm64 : target::Arch::amd64;
  recording.go_version = program.go_version();
  recording.build_id = snapshot.source.build_id;
  recording.taken_at = snapshot.source.taken_at.value_or(Nanos{});
  recording.monotonic_at = moment.monotonic_now.value_or(Nanos{});
  recording.consistent = snapshot.consistent;
  recording.stopped = snapshot.stopped.has_value();
  recording.held = snapshot.stopped.value_or(Nanos{});
  for (const auto& [go_id, tid] : moment.thread_ids) {
    target::RecordedThread thread;
    thread.facts.tid = tid;
    thread.facts.inner_tid = go_id;
    const auto registers = moment.registers.find(go_id);
    thread.has_registers = registers != moment.registers.end();
    if (thread.has_registers) thread.registers = registers->second;
    recording.threads.push_back(std::move(thread));
  }
  for (const auto& [fd, target] : moment.fds) recording.fds.push_back({fd, target});
  recording.images.push_back(target::keep_pages(facts.exe_path, snapshot.source.build_id,
                                                program.file().bytes(), touched));
  recording.hints = program.hints();
  recording.notes = snapshot.notes;
}

}  // namespace weir::ingest
