#include "weir/ingest/core.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "weir/gortime/program.h"
#include "weir/ingest/frozen.h"
#include "weir/ingest/proof.h"
#include "weir/ingest/recorded.h"
#include "weir/target/core_memory.h"
#include "weir/target/recording.h"

namespace weir::ingest {
namespace {

Moment moment_of(const target::CoreFile& core) {
  Moment moment;
  for (const target::CoreThread& thread : core.threads()) {
    moment.thread_ids[thread.tid] = thread.tid;
    moment.registers[thread.tid] = thread.registers;
  }
  return moment;
}

model::Source source_of(const target::CoreFile& core, const gortime::Program& program,
                        const std::string& path) {
  model::Source source;
  source.kind = model::SourceKind::core;
  source.name = path;
  source.pid = core.process().pid;
  source.executable = core.process().exe_path;
  source.build_id = program.file().gnu_build_id();
  if (source.build_id.empty()) source.build_id = program.file().go_build_id();
  source.go_version = program.go_version();
  source.arch = elf::to_string(program.file().machine());
  if (!core.process().command_line.empty())
    source.command_line = core.process().command_line.front();
  return source;
}

void note_core(model::Snapshot& snapshot, const target::CoreFile& core,
               const target::CoreMemory& memory, const FoundExecutable& executable) {
  if (!executable.checked)
    snapshot.notes.add(
        Severity::warning,
        "whether the executable is of the same build as the core cannot be told: one "
        "of them has no build id",
        executable.path);
  if (const auto missing = memory.missing(); missing.pages > 0)
    snapshot.notes.add(
        Severity::warning,
        fmt::format("{} pages that weir looked at are not in the core", missing.pages),
        to_hex(missing.first), "the core is cut, or /proc/PID/coredump_filter left memory out");
  snapshot.notes.merge(core.notes());
  snapshot.partial = std::any_of(snapshot.notes.all().begin(), snapshot.notes.all().end(),
                                 [](const Note& note) { return note.severity == Severity::loss; });
  snapshot.consistent = !snapshot.partial;
}

/// The first reads went wrong: the cause is most likely what the core lacks. Where variables are
/// not there, the executable's initial values were read, and any kind of error comes of them.
tl::unexpected<Error> explain(Error error, const target::CoreFile& core,
                              const target::CoreMemory& memory) {
  if (!memory.has_program_memory())
    error.context.emplace_back(
        "the core was written without the program's memory (coredump_filter bit 0 is off)");
  else if (memory.lacks_variables())
    error.context.emplace_back(
        "the core was written without the program's variables (coredump_filter, bits 0 and 2)");
  for (const Note& note : core.notes().all())
    if (note.severity == Severity::loss) error.context.push_back(note.text);
  return fail(std::move(error));
}

}  // namespace

bool is_core(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 64> head{};
  file.read(head.data(), head.size());
  return target::looks_like_core(std::as_bytes(std::span(head.data(), head.size())));
}

namespace {

std::vector<gortime::ReachThread> threads_of(const target::CoreFile& core) {
  std::vector<gortime::ReachThread> threads;
  for (const target::CoreThread& thread : core.threads())
    threads.push_back({thread.tid, thread.registers, thread.vectors});
  return threads;
}

std::string why_no_proof(const target::CoreFile& core, const target::CoreMemory& memory,
                         const FoundExecutable& executable) {
  if (!executable.checked)
    return "whether the executable is of the same build as the core cannot be told";
  for (const Note& note : core.notes().all())
    if (note.severity == Severity::loss) return note.text;
  if (memory.lacks_variables()) return "the core was written without the program's variables";
  return {};
}

/// With `proof`, a proof too.
Result<Proven> look_at_core(const std::string& path, const CoreOptions& options,
                            const ProofOptions* proof, target::Recording* record) {
  WEIR_TRY(const auto file, bytes::MappedFile::open(path));
  WEIR_TRY(const auto core, target::CoreFile::parse(file.bytes()));
  WEIR_TRY(const auto executable, find_core_executable(core, path, options));
  const bytes::Bytes content = executable.file.bytes();
  WEIR_TRY(
      const LoadBias bias,
      target::load_bias(core.auxv(), content.first(std::min<std::size_t>(64, content.size()))));
  target::CoreMemory memory(core);
  WEIR_TRY(const auto image, elf::File::parse(content));
  memory.lay_under(image, bias);
  target::RecordingMemory recorder(memory, target::Packing::as_read,
                                   proof != nullptr ? most_packed(*proof) : ~std::uint64_t{0});
  target::Memory& read_through =
      record != nullptr ? static_cast<target::Memory&>(recorder) : memory;
  bytes::PageSet touched(content.size());
  auto program = gortime::Program::open(content, read_through, bias, {}, &touched, executable.path);
  if (!program) return explain(std::move(program).error(), core, memory);
  const Moment moment = moment_of(core);
  const auto threads = threads_of(core);
  Proven found;
  const std::string refused = proof != nullptr ? why_no_proof(core, memory, executable) : "";
  if (proof != nullptr && refused.empty()) {
    auto proven = prove_frozen(*program, read_through, moment, threads,
                               reach_options(*proof, record != nullptr));
    if (!proven) return explain(std::move(proven).error(), core, memory);
    found = std::move(*proven);
  } else {
    auto snapshot = read_frozen(*program, read_through, moment);
    if (!snapshot) return explain(std::move(snapshot).error(), core, memory);
    found.snapshot = std::move(*snapshot);
    found.proof.refused = refused;
  }
  found.snapshot.source = source_of(core, *program, path);
  note_core(found.snapshot, core, memory, executable);
  if (record != nullptr) {
    keep_moment(*record, *program, moment, found.snapshot, core.process(), touched);
    if (proof != nullptr && refused.empty()) keep_vectors(*record, threads);
    WEIR_TRY(record->packed, recorder.take_packed());
    record->memory = recorder.take_latest();
    record->memory.set_regions(memory.regions());
    record->auxv = core.auxv();
  }
  return found;
}

}  // namespace

Result<model::Snapshot> read_core(const std::string& path, const CoreOptions& options,
                                  target::Recording* record) {
  WEIR_TRY(auto found, look_at_core(path, options, nullptr, record));
  return std::move(found.snapshot);
}

Result<Proven> read_core_proof(const std::string& path, const CoreOptions& options,
                               const ProofOptions& proof_options, target::Recording* record) {
  return look_at_core(path, options, &proof_options, record);
}

}  // namespace weir::ingest
