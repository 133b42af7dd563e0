#include "weir/target/core_file.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "weir/target/core_memory.h"

namespace weir::target {

namespace {

constexpr std::size_t thread_limit = 1 << 18;
constexpr std::size_t vectors_limit = 64 << 10;  // of a thread; AMX makes them 11 KiB
constexpr std::size_t mapping_limit = 1 << 20;
constexpr std::size_t first_pages = 64 << 10;  // of the executable, looked at for its build id

// struct elf_prstatus and elf_prpsinfo, include/linux/elfcore.h: the same on amd64 and arm64.
constexpr std::size_t status_pid = 32, status_registers = 112;
constexpr std::size_t info_state = 1, info_uid = 16, info_pid = 24, info_parent = 28,
                      info_name = 40, info_arguments = 56;
constexpr std::size_t name_size = 16, arguments_size = 80;

/// struct user_regs_struct of amd64 (arch/x86/include/asm/user_64.h), 27 words.
Registers amd64_registers(bytes::Cursor& cursor) {
  enum : std::uint8_t {
    r15,
    r14,
    r13,
    r12,
    rbp,
    rbx,
    r11,
    r10,
    r9,
    r8,
    rax,
    rcx,
    rdx,
    rsi,
    rdi,
    orig_rax,
    rip,
    cs,
    eflags,
    rsp,
    ss,
    fs_base,
    count
  };
  std::uint64_t raw[count] = {};
  for (std::uint64_t& word : raw) word = cursor.u64();
  Registers out;
  out.arch = Arch::amd64;
  out.pc = {raw[rip]};
  out.sp = {raw[rsp]};
  out.frame = {raw[rbp]};
  out.tls = {raw[fs_base]};
  out.flags = raw[eflags];
  out.syscall = static_cast<std::int64_t>(raw[orig_rax]);
  constexpr std::uint8_t dwarf_order[] = {rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp,
                                          r8,  r9,  r10, r11, r12, r13, r14, r15};
  for (std::size_t i = 0; i < std::size(dwarf_order); ++i) out.general[i] = raw[dwarf_order[i]];
  return out;
}

/// struct user_pt_regs of arm64 (arch/arm64/include/uapi/asm/ptrace.h): x0 … x30, sp, pc, pstate.
Registers arm64_registers(bytes::Cursor& cursor) {
  Registers out;
  out.arch = Arch::arm64;
  for (std::uint64_t& word : out.general) word = cursor.u64();
  out.sp = {cursor.u64()};
  out.pc = {cursor.u64()};
  out.flags = cursor.u64();
  out.frame = {out.general[29]};
  out.link = {out.general[30]};
  out.syscall = -1;
  return out;
}

std::string text_of(bytes::Bytes field) {
  const std::string_view text = bytes::as_text(field);
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace

bool looks_like_core(bytes::Bytes head) {
  std::uint16_t type = 0;
  return head.size() >= 4 && bytes::as_text(head.first(4)) == "\177ELF" &&
         bytes::read_at(head, 16, type) && type == ET_CORE;
}

Arch CoreFile::arch() const {
  return file_.machine() == elf::Machine::arm64 ? Arch::arm64 : Arch::amd64;
}

Result<CoreFile> CoreFile::parse(bytes::Bytes content) {
  WEIR_TRY(auto file, elf::File::parse(content));
  if (file.type() != elf::Type::core)
    return fail(ErrorCode::invalid, "an ELF file, but not a core", FileOffset{16});
  CoreFile core(std::move(file));
  for (const elf::ElfNote& note : core.file_.notes()) core.take_note(note);
  if (core.threads_.size() > thread_limit)
    return fail(ErrorCode::limit, fmt::format("the core has more than {} threads", thread_limit));
  core.note_cuts();
  if (core.threads_.empty()) return core.no_thread();
  if (core.process_.pid == 0) core.process_.pid = core.threads_.front().tid;
  core.process_.inner_pid = core.process_.pid;
  core.process_.thread_count = static_cast<int>(core.threads_.size());
  core.name_executable();
  core.read_build_id();
  return core;
}

void CoreFile::note_cuts() {
  const auto& segments = file_.segments();
  const auto cut = std::count_if(segments.begin(), segments.end(),
                                 [](const elf::Segment& segment) { return segment.cut; });
  if (cut > 0)
    notes_.add(Severity::loss,
               fmt::format("the core file ends early: {} of its {} segments are cut", cut,
                           segments.size()),
               fmt::format("{} bytes", file_.bytes().size()),
               "the disk was full, or ulimit -c or a limit of the core handler was reached");
}

/// gdb writes the notes behind the memory, so that a core that it could not finish has none.
tl::unexpected<Error> CoreFile::no_thread() const {
  const auto& segments = file_.segments();
  const bool cut = std::any_of(segments.begin(), segments.end(), [](const elf::Segment& segment) {
    return segment.type == elf::Segment::note && segment.cut;
  });
  if (!cut)
    return fail(ErrorCode::invalid,
                "the core has no thread (NT_PRSTATUS): its notes are missing or damaged");
  const Note& note = notes_.all().back();  // of note_cuts()
  return fail(ErrorCode::truncated,
              fmt::format("{} ({}), and with them what it says of threads (NT_PRSTATUS); {}",
                          note.text, note.place, note.advice));
}

void CoreFile::take_note(const elf::ElfNote& note) {
  if (note.owner == "LINUX" && note.type == NT_X86_XSTATE) return take_vectors(note.content);
  if (note.owner != "CORE") return;
  switch (note.type) {
    case NT_PRSTATUS:
      return take_thread(note.content);
    case NT_PRPSINFO:
      return take_process(note.content);
    case NT_AUXV:
      return take_auxv(note.content);
    case NT_FILE:
      return take_mappings(note.content);
    default:
      return;
  }
}

void CoreFile::take_thread(bytes::Bytes content) {
  if (threads_.size() > thread_limit) return;
  bytes::Cursor cursor(content);
  CoreThread thread;
  cursor.seek(status_pid);
  thread.tid = static_cast<int>(cursor.u32());
  cursor.seek(status_registers);
  thread.registers = arch() == Arch::arm64 ? arm64_registers(cursor) : amd64_registers(cursor);
  if (cursor.ok()) {
    threads_.push_back(thread);
  } else {
    notes_.add(Severity::loss, "a thread's registers in the core (NT_PRSTATUS) are cut");
  }
}

/// A thread's other registers follow its NT_PRSTATUS.
void CoreFile::take_vectors(bytes::Bytes content) {
  if (threads_.empty() || content.size() > vectors_limit) return;
  std::vector<std::uint64_t>& words = threads_.back().vectors;
  words.resize(content.size() / sizeof(std::uint64_t));
  if (!words.empty())
    std::memcpy(words.data(), content.data(), words.size() * sizeof(std::uint64_t));
}

void CoreFile::take_process(bytes::Bytes content) {
  bytes::Cursor cursor(content);
  ProcessFacts facts;
  cursor.seek(info_state);
  facts.state = static_cast<char>(cursor.u8());
  cursor.seek(info_uid);
  facts.uid = cursor.u32();
  cursor.seek(info_pid);
  facts.pid = static_cast<int>(cursor.u32());
  cursor.seek(info_parent);
  facts.parent_pid = static_cast<int>(cursor.u32());
  cursor.seek(info_name);
  facts.name = text_of(cursor.take(name_size));
  cursor.seek(info_arguments);
  std::string arguments = text_of(cursor.take(arguments_size));
  if (!cursor.ok()) return;
  while (arguments.ends_with(' ')) arguments.pop_back();
  if (!arguments.empty()) facts.command_line.push_back(std::move(arguments));
  process_ = std::move(facts);
}

void CoreFile::take_auxv(bytes::Bytes content) {
  auxv_.clear();
  bytes::Cursor cursor(content);
  while (cursor.left() >= 16) {
    AuxEntry entry;
    entry.type = cursor.u64();
    entry.value = cursor.u64();
    if (entry.type == AT_NULL) return;
    auxv_.push_back(entry);
  }
}

/// fs/binfmt_elf.c, fill_files_note: count, page size, then (start, end, offset in pages) of each,
/// then all names.
void CoreFile::take_mappings(bytes::Bytes content) {
  bytes::Cursor cursor(content);
  const std::uint64_t count = cursor.u64();
  const std::uint64_t page_size = cursor.u64();
  if (!cursor.ok() || count > cursor.left() / 25 || count > mapping_limit) {
    notes_.add(Severity::warning, "the core's list of mapped files (NT_FILE) is damaged");
    return;
  }
  std::vector<Region> mappings(count);
  for (Region& region : mappings) {
    region.start = {cursor.u64()};
    region.end = {cursor.u64()};
    region.file_offset = cursor.u64() * page_size;
    region.readable = true;
  }
  for (Region& region : mappings) region.path = cursor.c_string();
  std::erase_if(mappings, [](const Region& region) { return region.end <= region.start; });
  std::sort(mappings.begin(), mappings.end(),
            [](const Region& a, const Region& b) { return a.start < b.start; });
  if (!cursor.ok())
    notes_.add(Severity::warning, "the core's list of mapped files (NT_FILE) is damaged");
  mappings_ = std::move(mappings);
}

/// The file that the entry point lies in is the executable, whatever else is mapped.
void CoreFile::name_executable() {
  constexpr std::string_view deleted = " (deleted)";
  const Address entry{find_auxv(auxv_, AT_ENTRY)};
  for (const Region& region : mappings_) {
    if (entry < region.start || !(entry < region.end)) continue;
    process_.exe_path = region.path;
    if (process_.exe_path.ends_with(deleted)) {
      process_.exe_deleted = true;
      process_.exe_path.resize(process_.exe_path.size() - deleted.size());
    }
    return;
  }
}

/// The program headers lie right behind the ELF header, at the start of the first mapping; that
/// page is in every core (bit 4 of coredump_filter), and linkers put the build id there too.
void CoreFile::read_build_id() {
  constexpr std::uint64_t page = 4096;
  const std::uint64_t headers = find_auxv(auxv_, AT_PHDR);
  if (headers == 0) return;
  CoreMemory memory(*this);
  std::vector<std::byte> head(first_pages);
  const Address start{headers - headers % page};
  std::size_t got = 0;
  while (got < head.size()) {
    const auto n = memory.read_some(start + got, std::span(head).subspan(got));
    if (!n) break;
    got += *n;
  }
  head.resize(got);
  const auto image = elf::File::parse(head);
  if (!image) return;
  build_id_ = image->gnu_build_id();
  if (build_id_.empty()) build_id_ = image->go_build_id();
  gnu_build_id_ = image->gnu_build_id_near_notes();
}

}  // namespace weir::target
