// A live program with many parked goroutines: how long it stands still, and the whole look at it.
// The floor of a stop is copying every runtime.g once. bench/stop compares with other programs.
#include <fmt/format.h>
#include <sys/uio.h>

#include <algorithm>
#include <map>
#include <memory>

#include "bench/support/peer.h"
#include "bench/support/ratio.h"
#include "tests/support/child.h"
#include "weir/gortime/gather.h"
#include "weir/gortime/unwind.h"
#include "weir/ingest/live.h"
#include "weir/target/live_memory.h"

namespace {

using namespace weir;

/// A program that runs until the benchmarks end, and its reader.
struct Target {
  test_support::Child child;
  ingest::LiveReader reader;
};

Target& target_of(std::int64_t goroutines) {
  static std::map<std::int64_t, std::unique_ptr<Target>> running;
  auto& target = running[goroutines];
  if (target == nullptr) {
    auto child = test_support::Child::start(
        {bench::build_program("parked"), "-n", std::to_string(goroutines), "-kinds"});
    child->wait_for_line("ready").value();
    auto reader = ingest::LiveReader::open(child->pid());
    target = std::make_unique<Target>(Target{std::move(*child), std::move(reader.value())});
  }
  return *target;
}

/// Copies all g structs in pieces of 256 KiB; neighbours together.
void copy_all(int pid, const std::vector<iovec>& pieces, std::vector<std::byte>& into) {
  for (const iovec& piece : pieces) {
    const iovec local{into.data(), piece.iov_len};
    benchmark::DoNotOptimize(process_vm_readv(pid, &local, 1, &piece, 1, 0));
  }
}

double copy_seconds(Target& target) {
  const auto snapshot = target.reader.read_snapshot({});
  std::vector<std::uint64_t> at;
  for (const model::Goroutine& goroutine : snapshot->goroutines) at.push_back(goroutine.g.value);
  std::sort(at.begin(), at.end());
  const std::size_t size = target.reader.program().layout().g.size.value();
  constexpr std::size_t most = 256 << 10;
  constexpr std::size_t gap = 2048;
  std::vector<iovec> pieces;
  std::uint64_t end = 0;
  for (const std::uint64_t g : at) {
    if (pieces.empty() || g > end + gap || pieces.back().iov_len >= most)
      pieces.push_back({reinterpret_cast<void*>(g), 0});
    pieces.back().iov_len = g + size - reinterpret_cast<std::uint64_t>(pieces.back().iov_base);
    end = g + size;
  }
  std::vector<std::byte> into(most + gap + size);
  return bench::least_seconds([&] { copy_all(target.child.pid(), pieces, into); });
}

void stop(benchmark::State& state, const ingest::LiveOptions& options) {
  Target& target = target_of(state.range(0));
  double least = 1e9;
  for ([[maybe_unused]] auto _ : state) {
    const auto snapshot = target.reader.read_snapshot(options);
    const double stopped = static_cast<double>(snapshot->stopped->value) / 1e9;
    state.SetIterationTime(stopped);
    least = std::min(least, stopped);
  }
  state.counters["least_ms"] = least * 1e3;
  bench::add_ratio(state, "copy", least, copy_seconds(target));
}

// The time of an iteration is the stop alone, so Google Benchmark would never find it long enough.
constexpr int looks = 15;

void stop_whole(benchmark::State& state) {
  stop(state, {});
}
BENCHMARK(stop_whole)
    ->Arg(1000)
    ->Arg(10000)
    ->Arg(100000)
    ->UseManualTime()
    ->Iterations(looks)
    ->Unit(benchmark::kMillisecond);

void stop_light(benchmark::State& state) {
  ingest::LiveOptions options;
  options.light = true;
  stop(state, options);
}
BENCHMARK(stop_light)
    ->Arg(1000)
    ->Arg(10000)
    ->Arg(100000)
    ->UseManualTime()
    ->Iterations(looks)
    ->Unit(benchmark::kMillisecond);

void whole_look(benchmark::State& state) {
  Target& target = target_of(state.range(0));
  const double own = bench::measure(
      state, [&] { benchmark::DoNotOptimize(target.reader.read_snapshot({})->goroutines.size()); });
  state.counters["ns_each"] = own / static_cast<double>(state.range(0)) * 1e9;
  bench::add_ratio(state, "copy", own, copy_seconds(target));
}
BENCHMARK(whole_look)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void unwind(benchmark::State& state) {
  Target& target = target_of(10'000);
  const gortime::Program& program = target.reader.program();
  auto memory = target::LiveMemory::open(target.child.pid());
  gortime::Gatherer gatherer({&program.layout(), &program.globals(), &program.wait_reasons()},
                             *memory);
  if (!gatherer.gather()) state.SkipWithError("cannot gather");
  std::size_t frames = 0;
  const double own = bench::measure(state, [&] {
    gortime::Unwinder unwinder(program.table(), program.bias(), program.file().machine());
    frames = 0;
    for (const gortime::GoroutineState& g : gatherer.goroutines())
      frames +=
          unwinder.unwind({g.stack_at, g.stack}, {g.sched_pc, g.sched_sp, {}, false, false}, 128)
              .frames.size();
  });
  std::uint64_t sum = 0;
  const double floor = bench::least_seconds([&] {
    for (const gortime::GoroutineState& g : gatherer.goroutines())
      for (const std::uint64_t word : g.stack) sum += word;
    benchmark::DoNotOptimize(sum);
  });
  state.counters["ns_frame"] = own / static_cast<double>(frames) * 1e9;
  bench::add_ratio(state, "sum_of_words", own, floor);
}
BENCHMARK(unwind)->Unit(benchmark::kMillisecond);

}  // namespace
