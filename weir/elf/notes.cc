// The notes of an ELF file: gABI "Note Section"; Linux aligns entries to 4 bytes, also in ELF64.
#include <fmt/format.h>

#include "weir/elf/file.h"

namespace weir::elf {

namespace {

constexpr std::uint32_t gnu_build_id_type = 3;          // NT_GNU_BUILD_ID
constexpr std::size_t gnu_build_id_note = 12 + 4 + 20;  // bytes, with its SHA-1
constexpr std::uint32_t go_build_id_type =
    4;  // cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG

std::size_t padding(std::uint32_t size) {
  return (4 - size % 4) % 4;
}

void parse_notes(bytes::Bytes bytes, std::vector<ElfNote>& notes) {
  bytes::Cursor cursor(bytes);
  while (cursor.left() >= 12) {
    ElfNote note;
    const std::uint32_t owner_size = cursor.u32();
    const std::uint32_t content_size = cursor.u32();
    note.type = cursor.u32();
    note.owner = bytes::as_text(cursor.take(owner_size));
    cursor.skip(padding(owner_size));
    note.content = cursor.take(content_size);
    if (!cursor.ok()) return;
    if (const auto nul = note.owner.find('\0'); nul != std::string_view::npos) {
      note.owner = note.owner.substr(0, nul);
    }
    notes.push_back(note);
    // The last entry's padding may be missing.
    cursor.skip(std::min<std::size_t>(padding(content_size), cursor.left()));
  }
}

std::string find_gnu_build_id(const std::vector<ElfNote>& notes) {
  for (const ElfNote& note : notes) {
    if (note.owner != "GNU" || note.type != gnu_build_id_type) continue;
    std::string hex;
    for (const std::byte b : note.content) hex += fmt::format("{:02x}", std::to_integer<int>(b));
    return hex;
  }
  return {};
}

}  // namespace

std::vector<ElfNote> File::notes() const {
  std::vector<ElfNote> notes;
  for (const Segment& segment : segments_) {
    if (segment.type != Segment::note) continue;
    const bytes::Window window = file_window(segment.file_offset, segment.file_size);
    parse_notes(window.take(0, window.size()), notes);
  }
  return notes;
}

std::string File::gnu_build_id() const {
  return find_gnu_build_id(notes());
}

std::string File::gnu_build_id_near_notes() const {
  std::vector<ElfNote> near = notes();
  for (const Segment& segment : segments_) {
    if (segment.type != Segment::note || segment.cut) continue;
    const std::uint64_t end = segment.file_offset + segment.file_size;
    const bytes::Window window = file_window(end + (4 - end % 4) % 4, gnu_build_id_note);
    parse_notes(window.take(0, window.size()), near);
  }
  return find_gnu_build_id(near);
}

std::string File::go_build_id() const {
  for (const ElfNote& note : notes()) {
    if (note.owner == "Go" && note.type == go_build_id_type) {
      return std::string(bytes::as_text(note.content));
    }
  }
  return {};
}

}  // namespace weir::elf
