#pragma once
// Builds the Go programs that tests look at, once per content, toolchain and options.
#include <string>
#include <vector>

#include "tests/support/go_toolchain.h"
#include "weir/base/error.h"

namespace weir::test_support {

struct BuildOptions {
  std::string ldflags = {};     ///< as after -ldflags=, e.g. "-s -w"
  std::string gcflags = {};     ///< as after -gcflags=, e.g. "-N -l"
  std::string tags = {};        ///< comma-separated build tags
  bool pie = false;             ///< -buildmode=pie
  bool race = false;            ///< -race (implies cgo)
  bool cgo = false;             ///< CGO_ENABLED=1; files with `import "C"` are in
  bool static_link = false;     ///< with cgo: external linking with -static; without: always static
  bool test_binary = false;     ///< `go test -c`: the package's tests
  bool strip_sections = false;  ///< no section headers in the ELF file, as after sstrip
  std::string arch = {};        ///< GOARCH; empty: the machine's own
  std::string go_version = {};  ///< the `go` line of go.mod; empty: the toolchain's own ("1.26").
                                ///< It sets the language and the defaults of GODEBUG.
};

/// "-s -w", "pie -s -w", "cgo", "default": for a test's name and for tables.
std::string to_string(const BuildOptions& options);

/// The program at `source` under tests/programs (a folder with one package, or one .go file;
/// an absolute path is taken as it is), built. The path stays valid and its content unchanged for
/// as long as the sources do: programs are kept in the build folder under a hash of the sources,
/// the toolchain and the options. Safe to call from many processes at once. Never uses the network.
///
/// The sources are copied and get a go.mod of their own (module weir.test/NAME); one in the folder
/// is not used. Errors: not_found; invalid with the compiler's output; io.
Result<std::string> build_go_program(const GoToolchain& toolchain, const std::string& source,
                                     const BuildOptions& options = {});

/// A module for `go test` and `go run`: the folder `source` copied under tests/programs with a
/// go.mod written, as build_go_program does. Returns the module's folder.
Result<std::string> stage_go_module(const GoToolchain& toolchain, const std::string& source,
                                    const BuildOptions& options = {});

/// The environment that go commands of tests run in: GOTOOLCHAIN=local, GOPROXY=off, GOFLAGS …
std::vector<std::string> go_environment(const GoToolchain& toolchain, const BuildOptions& options);

/// Makes the section headers of an ELF64 file unreachable (e_shoff, e_shnum, e_shstrndx = 0).
Result<void> strip_section_headers(const std::string& path);

}  // namespace weir::test_support
