// Any bytes as evidence, in pieces whose size the first byte tells: kinds are told apart, gzip is
// opened, goroutines are counted.
#include <algorithm>
#include <string_view>

#include "weir/ingest/evidence.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = 1 + static_cast<unsigned char>(text[0]) * 16;
  text.remove_prefix(1);
  weir::ingest::Intake intake;
  while (!text.empty()) {
    if (!intake.feed(text.substr(0, piece))) return 0;
    text.remove_prefix(std::min(piece, text.size()));
  }
  const auto tallies = intake.finish();
  if (!tallies) return 0;
  std::uint64_t total = 0;
  for (const weir::model::Tally& tally : *tallies) total += tally.total();
  return total == UINT64_MAX ? 1 : 0;  // so that it is computed
}
