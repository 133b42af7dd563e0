#pragma once
// File: the headers of an ELF64 little-endian file, and its bytes by link address. Reads what the
// System V gABI and Linux define; every field is taken for hostile.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/bytes/window.h"

namespace weir::elf {

enum class Machine : std::uint8_t { amd64, arm64 };
/// "amd64", "arm64": GOARCH.
std::string_view to_string(Machine machine);

enum class Type : std::uint8_t {
  executable,  ///< ET_EXEC: loaded where it was linked
  dynamic,     ///< ET_DYN: PIE or shared object, has a load bias
  core,        ///< ET_CORE
};

/// A program header (Elf64_Phdr).
struct Segment {
  static constexpr std::uint32_t load = 1, dynamic = 2, interp = 3, note = 4;  // PT_*
  std::uint32_t type = 0;
  LinkAddr start;
  std::uint64_t memory_size = 0;
  std::uint64_t file_offset = 0;
  std::uint64_t file_size = 0;  ///< cut to what the file holds; see Segment::cut
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool cut = false;  ///< the file ends before the segment does
  LinkAddr end() const { return start + memory_size; }
};

/// A section header (Elf64_Shdr).
struct Section {
  std::string_view name;  ///< in the file's bytes
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  LinkAddr start;  ///< 0 if it is not loaded
  std::uint64_t file_offset = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  std::uint64_t entry_size = 0;
  bool no_bits() const { return type == 8; }                // SHT_NOBITS
  bool compressed() const { return (flags & 0x800) != 0; }  // SHF_COMPRESSED
};

/// One entry of a PT_NOTE segment. Views of the file's bytes.
struct ElfNote {
  std::string_view owner;  ///< "GNU", "Go", "CORE"; without the NUL
  std::uint32_t type = 0;
  bytes::Bytes content;
};

/// A parsed ELF file. Does not own the bytes nor the PageSet; both must outlive it and everything
/// it hands out. Section headers are optional: missing or broken ones leave sections() empty.
class File {
 public:
  /// `touched` (may be null) learns every page of the file that an answer was made from, parse()'s
  /// own reads included: the same calls on an image that has only those pages give the same
  /// answers. Errors: invalid, truncated (with the offset), unsupported (32 bit, big endian,
  /// another machine).
  static Result<File> parse(bytes::Bytes bytes, bytes::PageSet* touched = nullptr);

  Machine machine() const { return machine_; }
  Type type() const { return type_; }
  bool is_pie() const { return type_ == Type::dynamic; }
  /// No program interpreter: libc, if any, is linked in.
  bool is_static() const;
  LinkAddr entry() const { return entry_; }

  /// All program headers in file order.
  const std::vector<Segment>& segments() const { return segments_; }
  /// The PT_LOAD ones, ascending by start.
  const std::vector<Segment>& loads() const { return loads_; }
  /// The PT_LOAD segment whose memory range holds `at`, or null.
  const Segment* find_load(LinkAddr at) const;

  const std::vector<Section>& sections() const { return sections_; }
  std::optional<Section> find_section(std::string_view name) const;
  /// A section's bytes as they are in the file (compressed ones too); empty for no_bits or if the
  /// file does not hold them.
  bytes::Window section_bytes(const Section& section) const;

  /// The file-backed bytes from `at` to the end of its segment's file range; empty if there are
  /// none.
  bytes::Window window_at(LinkAddr at) const;
  /// Exactly `size` file-backed bytes. Errors: unmapped (outside, or in a .bss part).
  Result<bytes::Bytes> read(LinkAddr at, std::uint64_t size) const;
  /// Any part of the file; empty if it does not hold all of it.
  bytes::Window file_window(std::uint64_t offset, std::uint64_t size) const;

  /// The notes of all PT_NOTE segments; a malformed one ends its segment's list.
  std::vector<ElfNote> notes() const;
  /// The linker's GNU build id in lower-case hex, or empty.
  std::string gnu_build_id() const;
  /// The same also where it lies right behind the notes, and no program header tells of it: the
  /// linker of go1.24–1.27 (cmd/link/internal/ld/elf.go) puts .note.gnu.build-id behind
  /// .note.go.buildid, and PT_NOTE is of the latter only.
  std::string gnu_build_id_near_notes() const;
  /// Go's own build id ("abc/def/ghi/jkl"), or empty.
  std::string go_build_id() const;

  bytes::Bytes bytes() const { return bytes_; }

 private:
  explicit File(bytes::Bytes bytes, bytes::PageSet* touched) : bytes_(bytes), touched_(touched) {}
  Result<void> parse_header();
  Result<void> parse_segments();
  void parse_sections();

  bytes::Bytes bytes_;
  bytes::PageSet* touched_;
  Machine machine_ = Machine::amd64;
  Type type_ = Type::executable;
  LinkAddr entry_;
  std::uint64_t phoff_ = 0, shoff_ = 0;
  std::uint32_t phnum_ = 0, shnum_ = 0, shstrndx_ = 0;
  std::vector<Segment> segments_;
  std::vector<Segment> loads_;
  std::vector<Section> sections_;
};

}  // namespace weir::elf
