#pragma once
// The shape of a .weir file that its writer and its reader share; docs/recording-format.md.
// Internal to weir/target.
#include <cstdint>
#include <string_view>

namespace weir::target::format {

inline constexpr std::string_view file_magic = "weir-rec";
/// Raised when a section that readers must know changes its shape, or a new one must be known.
inline constexpr std::uint32_t schema_version = 1;
/// Magic, schema, and four bytes of zero.
inline constexpr std::size_t header_size = 16;
/// Tag, flags, stored size, unpacked size.
inline constexpr std::size_t section_header_size = 4 + 4 + 8 + 8;
/// A reader that doesn't know the section may go on without it.
inline constexpr std::uint32_t flag_optional = 1;
/// Memory and file pages are split so that no section is larger than this, unpacked.
inline constexpr std::uint64_t chunk_size = std::uint64_t{32} << 20;

/// Longest lists, so that a small file can't make a reader hold a lot.
inline constexpr std::uint64_t max_items = 1 << 20;
inline constexpr std::uint64_t max_threads = 1 << 18;
inline constexpr std::uint64_t max_vector_words = 8192;  // of a thread
inline constexpr std::uint64_t max_notes = 1 << 12;      // Notes compares each with each
inline constexpr std::uint64_t max_images = 1 << 10;

inline constexpr std::string_view tag_facts = "FACT";
inline constexpr std::string_view tag_auxv = "AUXV";
inline constexpr std::string_view tag_threads = "THRD";
inline constexpr std::string_view tag_proof = "PROF";
inline constexpr std::string_view tag_fds = "FDS ";
inline constexpr std::string_view tag_regions = "MAPS";
inline constexpr std::string_view tag_memory = "MEMO";
inline constexpr std::string_view tag_image = "FILE";
inline constexpr std::string_view tag_pages = "PAGE";
inline constexpr std::string_view tag_hints = "HINT";
inline constexpr std::string_view tag_notes = "NOTE";
inline constexpr std::string_view tag_end = "END ";

}  // namespace weir::target::format
