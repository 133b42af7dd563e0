#include <cstddef>
#include <cstdint>

#include "weir/dump/frame_line.h"
#include "weir/dump/value_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto title = weir::dump::parse_values(text, [](const weir::dump::ValueRecord& record) {
    if (record.pcs.size() > weir::dump::max_profile_depth ||
        record.frames.size() > weir::dump::max_profile_depth)
      __builtin_trap();
  });
  if (title && !weir::dump::looks_like_values(text)) __builtin_trap();
  return 0;
}
