// Any bytes as the memory of a program: a search for its moduledata by every layout, and the name
// of a type at each address.
#include "weir/gosym/module_data.h"
#include "weir/gosym/type_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size < 1 || size > 16 << 10) return 0;
  const std::span<const std::byte> memory(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  static constexpr Address base{0x10000};
  const gosym::ReadMemory read = [memory](Address at, std::span<std::byte> into) {
    const std::uint64_t offset = at - base;
    if (offset > memory.size() || into.size() > memory.size() - offset) return false;
    std::copy_n(memory.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  };
  std::size_t sum = 0;
  const gosym::ModuleKey key{{0x400000}, 96, 3, data[0] % 32};
  const gosym::SearchRange range{base, memory.size()};
  const auto found = gosym::find_module_data(read, std::span(&range, 1), key);
  if (found) sum += found->text_sections.size();
  for (std::size_t at = 0; at < memory.size(); at += 8) {
    const auto name = gosym::read_type_name(read, base, base + memory.size(), base + at);
    if (name) sum += name->size();
  }
  return sum == ~std::size_t{0} ? 1 : 0;  // never: the sum keeps the reads alive
}
