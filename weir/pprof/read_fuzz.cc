// Any bytes: a profile is refused, or all of it can be looked at and written, and what was written
// reads back as the same.
#include "weir/base/assert.h"
#include "weir/pprof/read.h"
#include "weir/pprof/write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const pprof::Limits limits{.inflated = 1 << 20, .elements = 1 << 20};
  const auto profile =
      pprof::parse_profile({reinterpret_cast<const std::byte*>(data), size}, limits);
  if (!profile) return 0;
  const std::string written = pprof::render_protobuf(*profile);
  const auto again = pprof::parse_profile(bytes::as_bytes(written));
  WEIR_ASSERT(again.has_value());
  WEIR_ASSERT(pprof::render_protobuf(*again) == written);
  return 0;
}
