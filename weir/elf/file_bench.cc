// ELF headers and DWARF of a real Go program. Peers: Go's own debug/elf and debug/dwarf.
#include "bench/support/peer.h"
#include "bench/support/ratio.h"
#include "weir/bytes/mapped_file.h"
#include "weir/elf/dwarf.h"
#include "weir/elf/file.h"

namespace {

using namespace weir;

const std::string& path() {
  static const std::string made = bench::build_program("parked");
  return made;
}

void headers(benchmark::State& state) {
  const auto program = bytes::MappedFile::open(path());
  const double own = bench::measure(state, [&] {
    benchmark::DoNotOptimize(elf::File::parse(program->bytes())->sections().size());
  });
  bench::add_ratio(state, "debug_elf", own, bench::peer_seconds("elf", {path(), "headers"}));
}
BENCHMARK(headers)->Unit(benchmark::kMicrosecond);

void field_offset_from_dwarf(benchmark::State& state) {
  const double own = bench::measure(state, [&] {
    const auto types = elf::DwarfTypes::open(path());
    if (!types || !types->find_part("runtime.g", "goid")) state.SkipWithError("no runtime.g.goid");
  });
  bench::add_ratio(state, "debug_dwarf", own, bench::peer_seconds("elf", {path(), "dwarf"}));
}
BENCHMARK(field_offset_from_dwarf)->Unit(benchmark::kMillisecond);

}  // namespace
