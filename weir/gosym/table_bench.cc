// The function table of a real program. Peer: Go's own debug/gosym on the same pcs, which finds
// function, file and line; weir also finds the inlined calls.
#include "bench/support/peer.h"
#include "bench/support/ratio.h"
#include "weir/bytes/mapped_file.h"
#include "weir/gosym/table.h"

namespace {

using namespace weir;

constexpr int lookups = 20'000;

const std::string& path() {
  static const std::string made = bench::build_program("parked");
  return made;
}

elf::File parse_program() {
  static const auto program = bytes::MappedFile::open(path());
  return elf::File::parse(program->bytes()).value();
}

gosym::Table open_table(const elf::File& file) {
  const auto where = gosym::locate(file, bench::need_go().minor);
  return gosym::Table::open(file, where.value()).value();
}

void open(benchmark::State& state) {
  const elf::File file = parse_program();
  const double own =
      bench::measure(state, [&] { benchmark::DoNotOptimize(open_table(file).size()); });
  bench::add_ratio(state, "debug_gosym", own, bench::peer_seconds("gosym", {path(), "open"}));
}
BENCHMARK(open)->Unit(benchmark::kMicrosecond);

void find_calls_of_pc(benchmark::State& state) {
  const elf::File file = parse_program();
  const gosym::Table table = open_table(file);
  const elf::Section text = file.find_section(".text").value();
  std::size_t found = 0;
  const double own = bench::measure(state, [&] {
    std::vector<gosym::InlineFrame> frames;
    std::uint64_t random = 1;
    for (int i = 0; i < lookups; ++i) {  // the same sequence as in bench/peers/gosym
      random = random * 6364136223846793005ull + 1442695040888963407ull;
      const LinkAddr pc = text.start + (random >> 20) % text.size;
      const auto function = table.find_function(pc);
      if (!function) continue;
      frames.clear();
      table.append_frames(*function, pc, frames);
      found += frames.size();
    }
  });
  if (found == 0) state.SkipWithError("no pc found");
  state.counters["ns"] = own / lookups * 1e9;
  bench::add_ratio(state, "debug_gosym", own / lookups,
                   bench::peer_seconds("gosym", {path(), "find"}));
}
BENCHMARK(find_calls_of_pc)->Unit(benchmark::kMillisecond);

}  // namespace
