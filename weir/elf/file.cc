#include "weir/elf/file.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::elf {

namespace {

constexpr std::size_t header_size = 64;             // sizeof(Elf64_Ehdr)
constexpr std::size_t segment_size = 56;            // sizeof(Elf64_Phdr)
constexpr std::size_t section_size = 64;            // sizeof(Elf64_Shdr)
constexpr std::uint16_t extended_phnum = 0xffff;    // PN_XNUM
constexpr std::uint16_t extended_shindex = 0xffff;  // SHN_XINDEX
constexpr std::size_t name_limit = 4096;

// A segment or section whose file range the file does not wholly hold keeps what is there.
std::uint64_t clamp_to_file(std::uint64_t offset, std::uint64_t size, std::uint64_t file_size) {
  return offset >= file_size ? 0 : std::min(size, file_size - offset);
}

Segment parse_segment(bytes::Cursor& cursor, std::uint64_t file_bytes) {
  Segment segment;
  segment.type = cursor.u32();
  const std::uint32_t flags = cursor.u32();
  segment.executable = (flags & 1) != 0;
  segment.writable = (flags & 2) != 0;
  segment.readable = (flags & 4) != 0;
  segment.file_offset = cursor.u64();
  segment.start = {cursor.u64()};
  cursor.u64();  // p_paddr
  const std::uint64_t wanted = cursor.u64();
  segment.memory_size = cursor.u64();
  cursor.u64();  // p_align
  // A range that wraps around the address space is cut at its end.
  segment.memory_size = std::min(segment.memory_size, ~std::uint64_t{0} - segment.start.value);
  segment.file_size = clamp_to_file(segment.file_offset, wanted, file_bytes);
  segment.cut = segment.file_size != wanted;
  if (segment.type == Segment::load) {
    segment.file_size = std::min(segment.file_size, segment.memory_size);
  }
  return segment;
}

}  // namespace

std::string_view to_string(Machine machine) {
  return machine == Machine::amd64 ? "amd64" : "arm64";
}

Result<File> File::parse(bytes::Bytes bytes, bytes::PageSet* touched) {
  File file(bytes, touched);
  WEIR_TRY_VOID(file.parse_header());
  WEIR_TRY_VOID(file.parse_segments());
  file.parse_sections();
  return file;
}

Result<void> File::parse_header() {
  const bytes::Bytes header = file_window(0, header_size).take(0, header_size);
  if (bytes_.size() < 4 || bytes::as_text(bytes_.first(4)) != "\177ELF") {
    return fail(ErrorCode::invalid, "not an ELF file", FileOffset{0});
  }
  if (header.empty()) {
    return fail(ErrorCode::truncated, "the ELF header is cut", FileOffset{bytes_.size()});
  }
  bytes::Cursor cursor(header);
  cursor.skip(4);
  const std::uint8_t bits = cursor.u8();
  const std::uint8_t order = cursor.u8();
  if (bits != 2 || order != 1) {
    return fail(ErrorCode::unsupported, "not a 64-bit little-endian ELF file", FileOffset{4});
  }
  cursor.seek(16);
  const std::uint16_t type = cursor.u16();
  const std::uint16_t machine = cursor.u16();
  if (type < 2 || type > 4) {
    return fail(ErrorCode::unsupported,
                fmt::format("ELF type {} is neither a program, a shared object nor a core", type),
                FileOffset{16});
  }
  if (machine != 62 && machine != 183) {  // EM_X86_64, EM_AARCH64
    return fail(ErrorCode::unsupported,
                fmt::format("ELF machine {} is neither amd64 nor arm64", machine), FileOffset{18});
  }
  type_ = type == 2 ? Type::executable : type == 3 ? Type::dynamic : Type::core;
  machine_ = machine == 62 ? Machine::amd64 : Machine::arm64;
  cursor.u32();  // e_version
  entry_ = {cursor.u64()};
  phoff_ = cursor.u64();
  shoff_ = cursor.u64();
  cursor.skip(6);  // e_flags, e_ehsize
  const std::uint16_t phentsize = cursor.u16();
  phnum_ = cursor.u16();
  const std::uint16_t shentsize = cursor.u16();
  shnum_ = cursor.u16();
  shstrndx_ = cursor.u16();
  if (phnum_ != 0 && phentsize != segment_size) {
    return fail(ErrorCode::invalid, fmt::format("program headers of {} bytes, not 56", phentsize),
                FileOffset{54});
  }
  if (shentsize != section_size) shoff_ = 0;
  return {};
}

Result<void> File::parse_segments() {
  // Counts that do not fit the header are in section header 0 (gABI, "ELF header").
  if (phnum_ == extended_phnum && shoff_ != 0) {
    const bytes::Window first = file_window(shoff_, section_size);
    if (!first.read(44, phnum_)) {
      return fail(ErrorCode::truncated,
                  "section header 0, which holds the number of segments, is cut",
                  FileOffset{shoff_});
    }
  }
  const bytes::Bytes table =
      file_window(phoff_, std::uint64_t{phnum_} * segment_size).take(0, phnum_ * segment_size);
  if (phnum_ != 0 && table.empty()) {
    return fail(ErrorCode::truncated,
                fmt::format("{} program headers do not fit in the file", phnum_),
                FileOffset{phoff_});
  }
  bytes::Cursor cursor(table);
  segments_.reserve(phnum_);
  while (!cursor.done()) segments_.push_back(parse_segment(cursor, bytes_.size()));
  for (const Segment& segment : segments_) {
    if (segment.type == Segment::load && segment.memory_size != 0) loads_.push_back(segment);
  }
  std::stable_sort(loads_.begin(), loads_.end(),
                   [](const Segment& a, const Segment& b) { return a.start < b.start; });
  return {};
}

void File::parse_sections() {
  if (shoff_ == 0) return;
  const bytes::Window first = file_window(shoff_, section_size);
  std::uint64_t extended_count = 0;
  if (shnum_ == 0 && first.read(32, extended_count)) {
    shnum_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(extended_count, bytes_.size() / section_size));
  }
  if (shstrndx_ == extended_shindex) first.read(40, shstrndx_);
  const bytes::Bytes table =
      file_window(shoff_, std::uint64_t{shnum_} * section_size).take(0, shnum_ * section_size);
  if (table.empty() || shstrndx_ >= shnum_) return;

  bytes::Cursor cursor(table);
  std::vector<std::uint32_t> name_offsets;
  std::vector<Section> sections;
  name_offsets.reserve(shnum_);
  sections.reserve(shnum_);
  while (!cursor.done()) {
    Section section;
    name_offsets.push_back(cursor.u32());
    section.type = cursor.u32();
    section.flags = cursor.u64();
    section.start = {cursor.u64()};
    section.file_offset = cursor.u64();
    section.size = cursor.u64();
    section.link = cursor.u32();
    cursor.skip(12);  // sh_info, sh_addralign
    section.entry_size = cursor.u64();
    sections.push_back(section);
  }
  const bytes::Window names = section_bytes(sections[shstrndx_]);
  if (names.size() == 0) return;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    names.read_c_string(name_offsets[i], name_limit, sections[i].name);
  }
  sections_ = std::move(sections);
}

bool File::is_static() const {
  return std::none_of(segments_.begin(), segments_.end(),
                      [](const Segment& s) { return s.type == Segment::interp; });
}

const Segment* File::find_load(LinkAddr at) const {
  auto after = std::upper_bound(loads_.begin(), loads_.end(), at,
                                [](LinkAddr a, const Segment& s) { return a < s.start; });
  if (after == loads_.begin()) return nullptr;
  const Segment& segment = *std::prev(after);
  return at.value - segment.start.value < segment.memory_size ? &segment : nullptr;
}

std::optional<Section> File::find_section(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name) return section;
  }
  return std::nullopt;
}

bytes::Window File::section_bytes(const Section& section) const {
  if (section.no_bits()) return {};
  return file_window(section.file_offset, section.size);
}

bytes::Window File::window_at(LinkAddr at) const {
  const Segment* segment = find_load(at);
  if (segment == nullptr) return {};
  const std::uint64_t into = at.value - segment->start.value;
  if (into >= segment->file_size) return {};
  return file_window(segment->file_offset + into, segment->file_size - into);
}

Result<bytes::Bytes> File::read(LinkAddr at, std::uint64_t size) const {
  const bytes::Window window = window_at(at);
  if (size > window.size() || window.size() == 0) {
    return fail(ErrorCode::unmapped, fmt::format("{} bytes at link address {} are not in the file",
                                                 size, to_hex(at.value)));
  }
  return window.take(0, size);
}

bytes::Window File::file_window(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
  return {bytes_.subspan(offset, size), offset, touched_};
}

}  // namespace weir::elf
