// Any bytes: an error, or a core whose memory is what its segments say, the later one on top.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/assert.h"
#include "weir/target/core_file.h"
#include "weir/target/core_memory.h"

namespace {

using namespace weir;          // NOLINT: the file is about nothing else
using namespace weir::target;  // NOLINT

/// The slow way to know the byte at `at`.
std::optional<std::byte> byte_at(const CoreFile& core, std::uint64_t at) {
  std::optional<std::byte> found;
  for (const elf::Segment& segment : core.file().segments()) {
    if (segment.type != elf::Segment::load || at < segment.start.value) continue;
    const std::uint64_t inside = at - segment.start.value;
    if (inside < segment.file_size) found = core.file().bytes()[segment.file_offset + inside];
  }
  return found;
}

void check(const CoreFile& core, CoreMemory& memory, std::uint64_t at) {
  std::byte got{};
  const auto n = memory.read_some(Address{at}, std::span(&got, 1));
  const auto expected = byte_at(core, at);
  WEIR_ASSERT(n.has_value() == expected.has_value());
  if (expected) WEIR_ASSERT(got == *expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes::Bytes file(reinterpret_cast<const std::byte*>(data), size);
  const auto core = CoreFile::parse(file);
  if (!core) return 0;
  CoreMemory memory(*core);
  std::vector<std::byte> into(4096);
  std::size_t checks = 0;
  for (const elf::Segment& segment : core->file().segments()) {
    if (++checks > 64) break;
    for (const std::uint64_t at :
         {segment.start.value - 1, segment.start.value, segment.start.value + segment.file_size - 1,
          segment.start.value + segment.file_size, segment.start.value + segment.memory_size})
      check(*core, memory, at);
    (void)memory.read_some(Address{segment.start.value}, into);
  }
  std::uint64_t end = 0;
  for (const Region& region : memory.coverage()) {
    WEIR_ASSERT(region.start.value >= end && region.start < region.end);
    end = region.end.value;
  }
  // The core as its own executable: whatever lies below must not change what it holds.
  memory.lay_under(core->file(), LoadBias{4096});
  checks = 0;
  for (const elf::Segment& segment : core->file().loads()) {
    if (++checks > 64) break;
    const auto before = byte_at(*core, segment.start.value);
    if (before) check(*core, memory, segment.start.value);
  }
  return 0;
}
