#include "bench/support/peer.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "tests/support/child.h"
#include "tests/support/go_program.h"

namespace weir::bench {

const test_support::GoToolchain& need_go() {
  static const auto go = test_support::find_newest_go_toolchain();
  if (!go) {
    fmt::print("no Go here: this benchmark is left out\n");
    std::exit(0);
  }
  return *go;
}

std::string build_program(const std::string& name) {
  auto path = test_support::build_go_program(need_go(), name);
  if (!path) {
    fmt::print(stderr, "{}: {}\n", name, to_string(path.error()));
    std::exit(1);
  }
  return *path;
}

double peer_seconds(const std::string& name, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{build_program(WEIR_SOURCE_DIR "/bench/peers/" + name)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto done = test_support::run(argv);
  if (!done || done->exit.code != 0) {
    fmt::print(stderr, "peer {}: {}\n", name, done ? done->err : to_string(done.error()));
    return 0;
  }
  return std::strtod(done->out.c_str(), nullptr);
}

double command_seconds(const std::vector<std::string>& argv) {
  const auto begun = std::chrono::steady_clock::now();
  const auto done = test_support::run(argv);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return done && done->exit.code == 0 ? took.count() : 0;
}

}  // namespace weir::bench
