// Goroutine text of all Go versions, in pieces as it comes from a pipe. Peers: a walk over the
// lines, which is the floor, and Go's bufio.Scanner over the same.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "bench/support/peer.h"
#include "bench/support/ratio.h"
#include "weir/bytes/mapped_file.h"
#include "weir/dump/goroutine_text.h"

namespace {

using namespace weir;

constexpr std::size_t wanted_size = 16 << 20;

const std::string& text() {
  static const std::string made = [] {
    std::vector<std::string> paths;
    for (const auto& entry :
         std::filesystem::directory_iterator(WEIR_SOURCE_DIR "/tests/golden/dump"))
      if (entry.path().string().find("system") != std::string::npos)
        paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    std::string one;
    for (const std::string& path : paths) one += bytes::read_file(path).value();
    std::string all;
    while (all.size() < wanted_size) all += one;
    return all;
  }();
  return made;
}

void walk_lines() {
  std::size_t lines = 0;
  const char* at = text().data();
  const char* const end = at + text().size();
  while (const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
    at = static_cast<const char*>(found) + 1;
    ++lines;
  }
  benchmark::DoNotOptimize(lines);
}

double go_lines() {
  static const double seconds = [] {
    const std::string path = std::filesystem::temp_directory_path() / "weir-scanner-bench.txt";
    if (!bytes::write_file(path, text())) return 0.0;
    const double took = bench::peer_seconds("lines", {path});
    std::filesystem::remove(path);
    return took;
  }();
  return seconds;
}

void scan(const dump::Scanner::Sink& sink) {
  constexpr std::size_t piece = 64 << 10;
  dump::Scanner scanner(sink);
  for (std::string_view rest = text(); !rest.empty();
       rest.remove_prefix(std::min(piece, rest.size())))
    scanner.feed(rest.substr(0, piece));
  benchmark::DoNotOptimize(scanner.finish().goroutines);
}

void finish(benchmark::State& state, double own) {
  state.SetBytesProcessed(static_cast<std::int64_t>(text().size()) *
                          static_cast<std::int64_t>(state.iterations()));
  bench::add_ratio(state, "line_walk", own, bench::least_seconds(walk_lines));
  bench::add_ratio(state, "go_bufio", own, go_lines());
}

void goroutines(benchmark::State& state) {
  finish(state, bench::measure(state, [] { scan([](const dump::GoroutineText&) {}); }));
}
BENCHMARK(goroutines)->Unit(benchmark::kMillisecond);

void goroutines_and_stacks(benchmark::State& state) {
  finish(state, bench::measure(state, [] {
           scan([](const dump::GoroutineText& goroutine) {
             benchmark::DoNotOptimize(dump::parse_stack(goroutine.stack).frames.size());
           });
         }));
}
BENCHMARK(goroutines_and_stacks)->Unit(benchmark::kMillisecond);

}  // namespace
