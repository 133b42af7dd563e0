// Any bytes: a profile is refused, or all of it can be looked at and written, and what was written
// reads back as the same; in small pieces as in one.
#include <algorithm>

#include "weir/base/assert.h"
#include "weir/pprof/read.h"
#include "weir/pprof/write.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const pprof::Limits limits{.inflated = 1 << 20, .elements = 1 << 20};
  const auto profile =
      pprof::parse_profile({reinterpret_cast<const std::byte*>(data), size}, limits);
  pprof::ProfileReader reader(limits);
  bool taken = true;
  for (std::size_t at = 0; taken && at < size;) {
    const std::size_t piece = std::min<std::size_t>(size - at, 2 + data[at] % 61);
    taken = reader.feed({reinterpret_cast<const std::byte*>(data) + at, piece}).has_value();
    at += piece;
  }
  const auto in_pieces =
      taken ? reader.finish() : Result<pprof::Profile>(fail(ErrorCode::invalid, ""));
  WEIR_ASSERT(in_pieces.has_value() == profile.has_value());
  if (!profile) return 0;
  WEIR_ASSERT(pprof::render_protobuf(*in_pieces) == pprof::render_protobuf(*profile));
  const std::string written = pprof::render_protobuf(*profile);
  const auto again = pprof::parse_profile(bytes::as_bytes(written));
  WEIR_ASSERT(again.has_value());
  WEIR_ASSERT(pprof::render_protobuf(*again) == written);
  return 0;
}
