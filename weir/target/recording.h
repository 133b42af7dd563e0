#pragma once
// Recording: what weir read of a process, kept in a .weir file, so that every command can be run
// again on it: elsewhere, later, without Go. docs/recording-format.md describes the file.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weir/base/notes.h"
#include "weir/bytes/cursor.h"
#include "weir/bytes/page_set.h"
#include "weir/target/process.h"
#include "weir/target/recording_memory.h"
#include "weir/target/registers.h"
#include "weir/target/sparse_memory.h"
#include "weir/target/stop.h"

namespace weir::target {

/// The pages of a file that were looked at: of the executable, of its debug file.
struct FileImage {
  std::string path;      ///< as the target named it
  std::string build_id;  ///< hex or text; may be empty
  std::uint64_t size = 0;
  /// Pieces of the file; `Address` is an offset in it, below `size`.
  SparseMemory pages;
};

/// The whole file again, with zeros where no page was kept.
class ExpandedFile {
 public:
  /// Errors: limit above 64 GiB; io when the address space has no room.
  static Result<ExpandedFile> make(const FileImage& image);
  ExpandedFile(ExpandedFile&& other) noexcept;
  ExpandedFile& operator=(ExpandedFile&& other) noexcept;
  ~ExpandedFile();
  bytes::Bytes bytes() const { return {data_, size_}; }

 private:
  ExpandedFile(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The image of `file` with just the pages in `touched`.
FileImage keep_pages(std::string path, std::string build_id, bytes::Bytes file,
                     const bytes::PageSet& touched);

struct RecordedThread {
  ThreadFacts facts;
  bool has_registers = false;
  StopKind stop = StopKind::interrupted;
  Registers registers;
  std::vector<std::uint64_t> vectors =
      {};  ///< words of its vector registers, if of use for a proof
};

/// A plain value. Times are of the moment the target was stopped, or reading began.
struct Recording {
  std::string weir_version;
  ProcessFacts process;
  Arch arch = host_arch;
  std::string go_version;  ///< "go1.26.8"; may be empty
  std::string build_id;    ///< of the main executable; may be empty
  Nanos taken_at;          ///< since 1970; 0: not known (made of a core)
  Nanos monotonic_at;  ///< CLOCK_MONOTONIC, the clock of the Go runtime's nanotime; 0: not known
  Nanos boottime_at;   ///< CLOCK_BOOTTIME, the clock of ProcessFacts::start_time
  bool consistent = false;  ///< all threads stood while memory was read
  bool stopped = false;     ///< `held` is known
  Nanos held;               ///< how long the target stood
  /// What a proof of leaks reads is there, too, and `vectors` of the threads.
  bool for_proof = false;

  std::vector<AuxEntry> auxv;
  std::vector<RecordedThread> threads;
  std::vector<FdFacts> fds;
  SparseMemory memory;  ///< regions() are those of the process
  /// Memory below `memory`, where that has no bytes. For writing only: nothing that reads a
  /// recording looks at it.
  PackedMemory packed;
  std::vector<FileImage> images;
  /// What was found out about the target and is dear to find again ("runtime.pclntab" → address).
  std::map<std::string, std::uint64_t> hints;
  Notes notes;
};

/// What a reader is willing to hold; every count and size in a file is checked against these before
/// it sizes anything.
struct RecordingLimits {
  std::uint64_t total_bytes = std::uint64_t{8} << 30;  ///< of all sections, unpacked
  std::uint64_t section_bytes = std::uint64_t{64} << 20;
  std::uint64_t pieces = 1 << 24;  ///< of memory and files, all together
};

/// The file begins as a recording does.
bool looks_like_recording(bytes::Bytes file);

/// The file's content. Errors: limit when a list is longer than a reader would take.
Result<std::string> render_recording(const Recording& recording);
Result<void> write_recording(const std::string& path, const Recording& recording);

/// Errors: invalid (not a recording, or damaged: the checksum of the section is wrong); truncated
/// (with the offset and the section); unsupported (written by another schema); limit.
Result<Recording> parse_recording(bytes::Bytes file, const RecordingLimits& limits = {});
Result<Recording> read_recording(const std::string& path);

}  // namespace weir::target
