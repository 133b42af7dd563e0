// Any bytes: an error or a recording that, written and read again, stays the same. An input that
// begins with 0 is a file; any other is a list of sections (tag number, 2 bytes of size, content),
// which are packed and sealed first, since chance never finds a right checksum.
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "weir/base/assert.h"
#include "weir/target/recording.h"
#include "weir/target/recording_format.h"

namespace {

using namespace weir::target;  // NOLINT: the file is about nothing else

void put(std::string& file, std::uint64_t value, std::size_t size) {
  file.append(reinterpret_cast<const char*>(&value), size);
}

void put_section(std::string& file, std::string_view tag, std::string_view content) {
  std::string packed(ZSTD_compressBound(content.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 1));
  file += tag;
  put(file, 0, 4);
  put(file, packed.size(), 8);
  put(file, content.size(), 8);
  file += packed;
}

std::string seal(std::string_view input) {
  constexpr std::array tags = {format::tag_facts, format::tag_auxv,    format::tag_threads,
                               format::tag_fds,   format::tag_regions, format::tag_memory,
                               format::tag_image, format::tag_pages,   format::tag_hints,
                               format::tag_notes, format::tag_proof};
  std::string file(format::file_magic);
  put(file, format::schema_version, 4);
  put(file, 0, 4);
  char sections = 0;
  while (input.size() >= 3 && sections < 100) {
    const auto tag = static_cast<unsigned char>(input[0]);
    std::uint16_t size = 0;
    std::memcpy(&size, input.data() + 1, 2);
    put_section(file, tags[tag % tags.size()], input.substr(3, size));
    input.remove_prefix(std::min<std::size_t>(input.size(), 3 + std::size_t{size}));
    ++sections;
  }
  put_section(file, format::tag_end, {&sections, 1});
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string file = input[0] == 0 ? std::string(input.substr(1)) : seal(input.substr(1));
  RecordingLimits limits;
  limits.total_bytes = 4 << 20;
  limits.section_bytes = 1 << 20;
  limits.pieces = 1 << 12;
  const auto recording = parse_recording(weir::bytes::as_bytes(file), limits);
  if (!recording) return 0;
  // Once through the writer joins pieces of memory that touch; after that nothing may change.
  const std::string written = render_recording(*recording).value();
  const auto once = parse_recording(weir::bytes::as_bytes(written));
  WEIR_ASSERT(once.has_value());
  const std::string first = render_recording(*once).value();
  const auto twice = parse_recording(weir::bytes::as_bytes(first));
  WEIR_ASSERT(twice.has_value());
  WEIR_ASSERT(render_recording(*twice).value() == first);
  WEIR_ASSERT(twice->memory.size() == recording->memory.size());
  return 0;
}
