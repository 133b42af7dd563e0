// Any bytes as a program's data segment, with and without its section; and as a version string.
#include "tests/support/elf_builder.h"
#include "weir/gosym/build_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size > 64 << 10) return 0;
  const std::string content(reinterpret_cast<const char*>(data), size);
  std::size_t sum = 0;
  for (const bool with_section : {false, true}) {
    test_support::ElfBuilder builder;
    builder.section_headers = with_section;
    builder.add({.address = 0x500000, .content = content, .section = ".go.buildinfo"});
    const std::string image = builder.build();
    const auto file = elf::File::parse(bytes::as_bytes(image));
    const auto info = gosym::find_build_info(*file);
    if (info) sum += info->go_version.size() + info->module_text.size();
  }
  sum += static_cast<std::size_t>(gosym::parse_go_version(content).minor);
  return sum == ~std::size_t{0} ? 1 : 0;  // never: the sum keeps the reads alive
}
