// Any bytes, in pieces of any size: no crash, and the same goroutines whatever the pieces.
#include <cstdint>
#include <cstdlib>

#include "weir/dump/count_text.h"
#include "weir/dump/goroutine_text.h"

namespace {

struct Seen {
  std::uint64_t goroutines = 0;
  std::uint64_t mixed = 0;
};

Seen scan(std::string_view text, std::size_t piece) {
  Seen seen;
  weir::dump::Scanner scanner([&](const weir::dump::GoroutineText& g) {
    const weir::dump::Stack stack = weir::dump::parse_stack(g.stack);
    if (stack.frames.size() != g.frames) std::abort();
    weir::dump::parse_labels(g.header.labels);
    ++seen.goroutines;
    seen.mixed = seen.mixed * 31 + (g.stack_key ^ g.offset ^ g.header.id.value ^ g.dump);
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    scanner.feed(text.substr(0, piece));
  if (scanner.finish().goroutines != seen.goroutines) std::abort();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Seen whole = scan(text, size + 1);
  const Seen pieces = scan(text, 1 + size / 7);
  if (whole.goroutines != pieces.goroutines || whole.mixed != pieces.mixed) std::abort();
  [[maybe_unused]] const auto counts =
      weir::dump::parse_counts(text, [](const weir::dump::CountRecord&) {});
  return 0;
}
