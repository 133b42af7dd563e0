#pragma once
// CoreFile: what a core file says beside the bytes of memory: threads, registers, mappings. Source
// of truth: fs/binfmt_elf.c and include/linux/elfcore.h of Linux; gdb's gcore writes the same
// notes.
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/notes.h"
#include "weir/bytes/cursor.h"
#include "weir/elf/file.h"
#include "weir/target/memory.h"
#include "weir/target/process.h"
#include "weir/target/registers.h"

namespace weir::target {

/// A thread as the core has it. `tid`: in a core that the kernel wrote, the number in the process's
/// own pid namespace; in one that gdb wrote, the number in gdb's.
struct CoreThread {
  int tid = 0;
  Registers registers;
  /// The words of its vector registers (NT_X86_XSTATE); empty where the core has none.
  std::vector<std::uint64_t> vectors = {};
};

/// A parsed core file. Does not own its bytes, which must outlive it. Memory: core_memory.h.
class CoreFile {
 public:
  /// Errors: invalid (not a core, or no thread in it), truncated (also where the threads' notes are
  /// cut off), unsupported (another machine), limit.
  static Result<CoreFile> parse(bytes::Bytes file);

  const elf::File& file() const { return file_; }
  Arch arch() const;
  /// In the file's order: first the one that the kernel found guilty, or gdb's current one.
  const std::vector<CoreThread>& threads() const { return threads_; }
  const std::vector<AuxEntry>& auxv() const { return auxv_; }
  /// What the core knows of it: pid, parent, user, name, the first 80 bytes of the command line (as
  /// one word), the executable's path.
  const ProcessFacts& process() const { return process_; }
  /// The mappings of files (NT_FILE), ascending; empty if the writer left them out. Permissions are
  /// not known.
  const std::vector<Region>& file_mappings() const { return mappings_; }
  /// The build id of the executable, from its first page in memory: the GNU one in hex, else Go's.
  /// Empty when the core does not hold that page.
  const std::string& build_id() const { return build_id_; }
  /// The GNU one, by which debug directories and debuginfod name files; also where build_id() is
  /// Go's. Empty when there is none, or the core does not hold it.
  const std::string& gnu_build_id() const { return gnu_build_id_; }
  /// What is wrong with the core: cut, threads without registers.
  const Notes& notes() const { return notes_; }

 private:
  explicit CoreFile(elf::File file) : file_(std::move(file)) {}
  void note_cuts();
  tl::unexpected<Error> no_thread() const;
  void take_note(const elf::ElfNote& note);
  void take_thread(bytes::Bytes content);
  void take_vectors(bytes::Bytes content);
  void take_process(bytes::Bytes content);
  void take_auxv(bytes::Bytes content);
  void take_mappings(bytes::Bytes content);
  void name_executable();
  void read_build_id();

  elf::File file_;
  std::vector<CoreThread> threads_;
  std::vector<AuxEntry> auxv_;
  ProcessFacts process_;
  std::vector<Region> mappings_;
  std::string build_id_, gnu_build_id_;
  Notes notes_;
};

/// The file begins as an ELF core file does.
bool looks_like_core(bytes::Bytes head);

}  // namespace weir::target
