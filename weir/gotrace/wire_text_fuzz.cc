// Any bytes as a trace to print as it stands: no crash, and no more text than the bytes account
// for. Apart from trace_fuzz.cc, each run of which took five times as long with it.
#include <cstdint>
#include <cstdlib>

#include "weir/gotrace/wire_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::bytes::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  // No byte of a trace makes more text than an argument with its name.
  std::size_t written = 0;
  (void)weir::gotrace::write_wire_text(bytes,
                                       [&](std::string_view text) { written += text.size(); });
  if (written > 64 * size) std::abort();
  return 0;
}
