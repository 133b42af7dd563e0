// Prints which Go toolchains the tests use and which promised versions are missing, one a line:
//   toolchain go1.26.8 /usr/local/go
//   weir-skip: toolchains: go1.20: no toolchain on this machine
// Exits 77 ("skipped" to ctest) when there is none at all.
#include <fmt/format.h>

#include <cstdio>

#include "tests/support/go_toolchain.h"

int main() {
  using namespace weir::test_support;
  for (const auto& toolchain : find_go_toolchains())
    fmt::print("toolchain go{} {}\n", toolchain.version, toolchain.root);
  for (const auto& missing : missing_go_toolchains()) record_skip("toolchains", missing);
  return find_go_toolchains().empty() ? 77 : 0;
}
