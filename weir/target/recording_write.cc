#include <algorithm>

#include "weir/bytes/mapped_file.h"
#include "weir/target/recording.h"
#include "weir/target/recording_format.h"
#include "weir/target/recording_sections.h"

namespace weir::target {
namespace {

/// The file so far.
class Writer {
 public:
  Writer() {
    file_ = format::file_magic;
    for (const std::uint32_t word : {format::schema_version, std::uint32_t{0}})
      file_.append(reinterpret_cast<const char*>(&word), sizeof word);
  }

  Result<void> section(std::string_view tag, const Encoder& content) {
    ++sections_;
    return packer_.append(file_, tag, content);
  }
  void packed(std::string_view section) {
    ++sections_;
    file_ += section;
  }
  std::uint64_t sections() const { return sections_; }
  std::string take() { return std::move(file_); }

 private:
  SectionPacker packer_;
  std::string file_;
  std::uint64_t sections_ = 0;
};

Result<void> write_facts(Writer& writer, const Recording& recording) {
  const ProcessFacts& process = recording.process;
  Encoder out;
  out.text(recording.weir_version);
  out.number(static_cast<std::uint64_t>(recording.arch));
  out.text(recording.go_version);
  out.text(recording.build_id);
  for (const Nanos time : {recording.taken_at, recording.monotonic_at, recording.boottime_at}) {
    out.integer(time.value);
  }
  out.flag(recording.consistent);
  out.flag(recording.stopped);
  out.integer(recording.held.value);
  for (const int id : {process.pid, process.inner_pid, process.parent_pid, process.tracer_pid}) {
    out.integer(id);
  }
  out.number(process.uid);
  out.letter(process.state);
  out.text(process.name);
  out.number(process.command_line.size());
  for (const std::string& word : process.command_line) out.text(word);
  out.text(process.exe_path);
  out.flag(process.exe_deleted);
  out.integer(process.start_time.value);
  out.integer(process.cpu_time.value);
  out.integer(process.thread_count);
  return writer.section(format::tag_facts, out);
}

void encode(Encoder& out, const Registers& registers) {
  out.number(static_cast<std::uint64_t>(registers.arch));
  for (const Address at :
       {registers.pc, registers.sp, registers.frame, registers.link, registers.tls}) {
    out.number(at.value);
  }
  out.number(registers.flags);
  out.integer(registers.syscall);
  for (const std::uint64_t value : registers.general) out.number(value);
}

Result<void> write_threads(Writer& writer, const std::vector<RecordedThread>& threads) {
  Encoder out;
  out.number(threads.size());
  for (const RecordedThread& thread : threads) {
    out.integer(thread.facts.tid);
    out.integer(thread.facts.inner_tid);
    out.letter(thread.facts.state);
    out.text(thread.facts.name);
    out.integer(thread.facts.cpu_time.value);
    out.number(static_cast<std::uint64_t>(thread.stop));
    out.flag(thread.has_registers);
    if (thread.has_registers) encode(out, thread.registers);
  }
  return writer.section(format::tag_threads, out);
}

Result<void> write_for_proof(Writer& writer, const Recording& recording) {
  if (!recording.for_proof) return {};
  Encoder out;
  out.number(recording.threads.size());
  for (const RecordedThread& thread : recording.threads) {
    out.number(thread.vectors.size());
    for (const std::uint64_t word : thread.vectors) out.number(word);
  }
  return writer.section(format::tag_proof, out);
}

Result<void> write_lists(Writer& writer, const Recording& recording) {
  Encoder auxv;
  auxv.number(recording.auxv.size());
  for (const AuxEntry& entry : recording.auxv) {
    auxv.number(entry.type);
    auxv.number(entry.value);
  }
  WEIR_TRY_VOID(writer.section(format::tag_auxv, auxv));
  Encoder fds;
  fds.number(recording.fds.size());
  for (const FdFacts& fd : recording.fds) {
    fds.integer(fd.fd);
    fds.text(fd.target);
  }
  WEIR_TRY_VOID(writer.section(format::tag_fds, fds));
  Encoder hints;
  hints.number(recording.hints.size());
  for (const auto& [name, value] : recording.hints) {
    hints.text(name);
    hints.number(value);
  }
  WEIR_TRY_VOID(writer.section(format::tag_hints, hints));
  Encoder notes;
  notes.number(recording.notes.all().size());
  for (const Note& note : recording.notes.all()) {
    notes.number(static_cast<std::uint64_t>(note.severity));
    notes.text(note.text);
    notes.text(note.place);
    notes.text(note.advice);
    notes.number(note.count);
  }
  return writer.section(format::tag_notes, notes);
}

Result<void> write_regions(Writer& writer, const std::vector<Region>& regions) {
  Encoder out;
  out.number(regions.size());
  for (const Region& region : regions) {
    out.number(region.start.value);
    out.number(region.end.value);
    out.number((region.readable ? 4U : 0U) | (region.writable ? 2U : 0U) |
               (region.executable ? 1U : 0U));
    out.number(region.file_offset);
    out.text(region.path);
  }
  return writer.section(format::tag_regions, out);
}

Result<void> write_memory(Writer& writer, std::string_view tag, const SparseMemory& memory) {
  return encode_memory(memory.segments(),
                       [&](const Encoder& section) { return writer.section(tag, section); });
}

Result<void> check_lists(const Recording& recording) {
  const bool fits = recording.threads.size() <= format::max_threads &&
                    recording.notes.all().size() <= format::max_notes &&
                    recording.images.size() <= format::max_images &&
                    std::max({recording.auxv.size(), recording.fds.size(), recording.hints.size(),
                              recording.process.command_line.size(),
                              recording.memory.known_regions().size()}) <= format::max_items;
  if (fits) return {};
  return fail(ErrorCode::limit,
              "the process has more threads, files or mappings than a recording "
              "holds");
}

}  // namespace

Result<std::string> render_recording(const Recording& recording) {
  WEIR_TRY_VOID(check_lists(recording));
  Writer writer;
  WEIR_TRY_VOID(write_facts(writer, recording));
  WEIR_TRY_VOID(write_lists(writer, recording));
  WEIR_TRY_VOID(write_threads(writer, recording.threads));
  WEIR_TRY_VOID(write_for_proof(writer, recording));
  WEIR_TRY_VOID(write_regions(writer, recording.memory.known_regions()));
  for (const std::string& section : recording.packed.sections) writer.packed(section);
  WEIR_TRY_VOID(write_memory(writer, format::tag_memory, recording.memory));
  for (const FileImage& image : recording.images) {
    Encoder out;
    out.text(image.path);
    out.text(image.build_id);
    out.number(image.size);
    WEIR_TRY_VOID(writer.section(format::tag_image, out));
    WEIR_TRY_VOID(write_memory(writer, format::tag_pages, image.pages));
  }
  Encoder end;
  end.number(writer.sections());
  WEIR_TRY_VOID(writer.section(format::tag_end, end));
  return writer.take();
}

Result<void> write_recording(const std::string& path, const Recording& recording) {
  WEIR_TRY(const std::string file, render_recording(recording));
  return bytes::write_file(path, file, 0600);  // as a core file: it holds what the program holds
}

}  // namespace weir::target
