// A recording of 32 MiB. Peer: zstd alone on the same bytes, which is the floor.
#include <zstd.h>

#include <cstring>

#include "bench/support/ratio.h"
#include "weir/target/recording.h"

namespace {

using namespace weir;

constexpr std::size_t stack_size = 512;
constexpr std::size_t stacks = 64 << 10;

/// Many small pieces that look like stacks: return addresses that come again, pointers, zeros.
std::vector<std::byte> make_stack(std::uint64_t& random) {
  std::vector<std::uint64_t> words(stack_size / 8);
  for (std::uint64_t& word : words) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    const std::uint64_t kind = random >> 62;
    if (kind == 0) word = 0x400000 + (random >> 40) % 3000 * 32;
    if (kind == 1) word = 0xc000000000 + (random >> 30) % (1 << 28) * 8;
  }
  std::vector<std::byte> bytes(stack_size);
  std::memcpy(bytes.data(), words.data(), stack_size);
  return bytes;
}

struct Input {
  target::Recording recording;
  std::string plain;  ///< all its memory in a row
};

const Input& input() {
  static const Input made = [] {
    Input result;
    std::uint64_t random = 1;
    for (std::size_t i = 0; i < stacks; ++i) {
      const std::vector<std::byte> stack = make_stack(random);
      result.recording.memory.insert(Address{0xc000000000 + i * 2048}, stack);
      result.plain.append(reinterpret_cast<const char*>(stack.data()), stack.size());
    }
    return result;
  }();
  return made;
}

std::string packed(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(
      ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), ZSTD_CLEVEL_DEFAULT));
  return out;
}

void finish(benchmark::State& state, double own, double zstd) {
  state.SetBytesProcessed(static_cast<std::int64_t>(input().plain.size()) *
                          static_cast<std::int64_t>(state.iterations()));
  bench::add_ratio(state, "zstd", own, zstd);
}

void write(benchmark::State& state) {
  const Input& in = input();
  const double own = bench::measure(
      state, [&] { benchmark::DoNotOptimize(target::render_recording(in.recording)->size()); });
  finish(state, own,
         bench::least_seconds([&] { benchmark::DoNotOptimize(packed(in.plain).size()); }));
}
BENCHMARK(write)->Unit(benchmark::kMillisecond);

void read(benchmark::State& state) {
  const Input& in = input();
  const std::string file = target::render_recording(in.recording).value();
  const double own = bench::measure(state, [&] {
    benchmark::DoNotOptimize(target::parse_recording(bytes::as_bytes(file))->memory.size());
  });
  const std::string alone = packed(in.plain);
  std::string out(in.plain.size(), '\0');
  finish(state, own, bench::least_seconds([&] {
           benchmark::DoNotOptimize(
               ZSTD_decompress(out.data(), out.size(), alone.data(), alone.size()));
         }));
}
BENCHMARK(read)->Unit(benchmark::kMillisecond);

}  // namespace
