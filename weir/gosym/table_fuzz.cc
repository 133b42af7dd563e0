// Any bytes as a function table: the first 16 say how it is read, the rest is pclntab, then
// funcdata. Every function and a spread of pcs is asked about.
#include "tests/support/elf_builder.h"
#include "weir/gosym/table.h"

namespace {

using namespace weir;

std::size_t ask_at(const gosym::Table& table, LinkAddr pc) {
  const auto f = table.find_function(pc);
  if (!f) return 0;
  std::vector<gosym::InlineFrame> frames;
  table.append_frames(*f, pc, frames);
  std::size_t sum = f->name.size();
  for (const gosym::InlineFrame& frame : frames) {
    sum += frame.function.size() + frame.source.file.size();
    sum += gosym::name_for_print(frame.function, table.location().go_minor).size();
  }
  sum += static_cast<std::size_t>(table.find_sp_delta(*f, pc).value_or(1));
  sum += static_cast<std::size_t>(table.find_pcdata(*f, gosym::pcdata_unsafe_point, pc));
  for (std::uint8_t i = 0; i < 8; ++i) sum += table.find_funcdata(*f, i).value_or(pc).value;
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t prefix = 16;
  if (size < prefix || size > 64 << 10) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::uint16_t gofunc_offset = 0;
  std::memcpy(&gofunc_offset, data + 2, sizeof gofunc_offset);

  test_support::ElfBuilder builder;
  builder.machine = (data[0] & 1) != 0 ? 183 : 62;
  builder.section_headers = false;
  builder.add({.address = 0x500000, .content = std::string(input.substr(prefix))});
  const std::string image = builder.build();
  bytes::PageSet touched(image.size());
  const auto file = elf::File::parse(bytes::as_bytes(image), &touched);
  gosym::Location where;
  where.pclntab = {0x500000};
  where.text = {0x401000};
  where.gofunc = {0x500000ull + gofunc_offset};
  where.go_minor = data[1] % 32;
  if ((data[0] & 2) != 0) {
    where.text_sections = {{0, data[4], {0x401000}}, {data[4], data[5], {0x801000}}};
  }
  const auto table = gosym::Table::open(*file, where);
  if (!table) return 0;
  std::size_t sum = 0;
  for (std::uint32_t i = 0; i < std::min<std::size_t>(table->size(), 64); ++i) {
    const auto f = table->function(i);
    if (!f) continue;
    for (const std::uint64_t into : {std::uint64_t{0}, (f->end.value - f->entry.value) / 2}) {
      sum += ask_at(*table, f->entry + into);
    }
    if (i < 4) sum += table->find_function(f->name) ? 1 : 0;
  }
  for (std::uint64_t pc = 0x400ff0; pc < 0x401100; pc += 7) sum += ask_at(*table, {pc});
  return sum == ~std::size_t{0} ? 1 : 0;  // never: the sum keeps the reads alive
}
