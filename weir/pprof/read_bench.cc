// A goroutine profile of 200,000 samples. Peers: inflating it, which is the floor, and
// `go tool pprof -raw`, less what that takes for an empty profile.
#include <fmt/format.h>

#include <filesystem>

#include "bench/support/peer.h"
#include "bench/support/ratio.h"
#include "weir/bytes/inflate.h"
#include "weir/bytes/mapped_file.h"
#include "weir/pprof/builder.h"
#include "weir/pprof/read.h"
#include "weir/pprof/write.h"

namespace {

using namespace weir;

constexpr std::size_t limit = std::size_t{1} << 30;

/// Samples with stacks of 12 out of 5,000 functions, as a large service has.
std::string make_profile(int samples) {
  const pprof::ValueName types[] = {{"goroutine", "count"}};
  pprof::Builder builder(types);
  std::vector<std::uint32_t> places;
  for (int i = 0; i < 5000; ++i) {
    pprof::Function function;
    function.name =
        builder.intern(fmt::format("example.com/service/part{}.(*Server).call{}", i % 50, i));
    function.file =
        builder.intern(fmt::format("/src/example.com/service/part{}/server.go", i % 50));
    const pprof::Line line{builder.intern_function(function), i % 900, 0};
    places.push_back(builder.intern_location(0x400000 + static_cast<std::uint64_t>(i) * 64,
                                             pprof::none, {&line, 1}));
  }
  std::uint64_t random = 1;
  for (int i = 0; i < samples; ++i) {
    std::vector<std::uint32_t> stack;
    for (int depth = 0; depth < 12; ++depth) {
      random = random * 6364136223846793005ull + 1442695040888963407ull;
      stack.push_back(places[(random >> 33) % places.size()]);
    }
    const std::int64_t value = 1 + i % 7;
    builder.add_sample({stack, {&value, 1}, {}});
  }
  return pprof::render_profile(builder.finish());
}

const std::string& profile() {
  static const std::string made = make_profile(200'000);
  return made;
}

double go_raw(const std::string& content) {
  const std::string path = std::filesystem::temp_directory_path() / "weir-read-bench.pb.gz";
  if (!bytes::write_file(path, content)) return 0;
  const double took = bench::command_seconds(
      {bench::need_go().go(), "tool", "pprof", "-raw", "-output=/dev/null", path});
  std::filesystem::remove(path);
  return took;
}

double go_tool() {
  static const double seconds = [] {
    const std::string empty = make_profile(1);
    go_raw(empty);  // builds the tool where Go does not ship it
    return go_raw(profile()) - go_raw(empty);
  }();
  return seconds;
}

void read_profile(benchmark::State& state) {
  const bytes::Bytes content = bytes::as_bytes(profile());
  const double own = bench::measure(
      state, [&] { benchmark::DoNotOptimize(pprof::parse_profile(content)->samples.size()); });
  bench::add_ratio(state, "inflate", own, bench::least_seconds([&] {
                     benchmark::DoNotOptimize(bytes::gunzip(content, limit)->size());
                   }));
  bench::add_ratio(state, "go_tool_pprof", own, go_tool());
}
BENCHMARK(read_profile)->Unit(benchmark::kMillisecond);

void write_profile(benchmark::State& state) {
  const auto parsed = pprof::parse_profile(bytes::as_bytes(profile()));
  const std::string raw = pprof::render_protobuf(*parsed);
  const double own = bench::measure(
      state, [&] { benchmark::DoNotOptimize(pprof::render_profile(*parsed).size()); });
  bench::add_ratio(state, "deflate", own, bench::least_seconds([&] {
                     benchmark::DoNotOptimize(bytes::gzip(raw).size());
                   }));
}
BENCHMARK(write_profile)->Unit(benchmark::kMillisecond);

}  // namespace
