// Any text, in pieces of any size: no crash, the same samples, and no line lost.
#include <cstdint>
#include <cstdlib>

#include "weir/gotrace/schedtrace.h"

namespace {

struct Seen {
  std::uint64_t samples = 0, others = 0, mixed = 0;
  bool operator==(const Seen&) const = default;
};

Seen scan(std::string_view text, std::size_t piece) {
  Seen seen;
  weir::gotrace::SchedParser parser(
      [&seen](const weir::gotrace::SchedSample& sample) {
        ++seen.samples;
        seen.mixed = seen.mixed * 31 + (sample.millis ^ sample.run_queue ^ sample.waiting ^
                                        sample.local_queues.size() ^ sample.threads);
        std::uint64_t reasons = 0;
        for (const auto& [reason, count] : sample.waiting_for) reasons += count;
        if (reasons > sample.waiting) std::abort();
      },
      [&seen](std::string_view line) { seen.others += line.size() + 1; });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    parser.feed(text.substr(0, piece));
  parser.finish();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (scan(text, size + 1) != scan(text, 1 + size / 7)) std::abort();
  return 0;
}
