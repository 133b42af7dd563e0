// Any bytes: parse() answers or refuses, and every question about the result can be asked.
#include "weir/elf/file.h"
#include "weir/elf/relocations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const bytes::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  bytes::PageSet touched(size);
  const auto file = elf::File::parse(bytes, &touched);
  if (!file) return 0;
  std::size_t sum = 0;
  for (const elf::Section& section : file->sections()) {
    const bytes::Window window = file->section_bytes(section);
    for (const std::byte b : window.take(0, window.size())) sum += std::to_integer<unsigned>(b);
    sum += section.name.size();
  }
  for (const elf::Segment& load : file->loads()) {
    for (const LinkAddr at : {load.start, load.start + load.file_size / 2, load.end()}) {
      const auto read = file->read(at, 8);
      if (read) sum += std::to_integer<unsigned>((*read)[7]);
    }
  }
  for (const elf::ElfNote& note : file->notes()) sum += note.owner.size() + note.content.size();
  sum += file->gnu_build_id().size() + file->go_build_id().size();
  sum += elf::find_relative_relocations(*file).size();
  return sum == ~std::size_t{0} ? 1 : 0;  // never: the sum keeps the reads alive
}
