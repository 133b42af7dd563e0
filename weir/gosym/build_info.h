#pragma once
// BuildInfo: which Go toolchain made a program, and of which modules.
#include <string>
#include <string_view>

#include "weir/elf/file.h"

namespace weir::gosym {

/// A Go release number. minor 26 and patch 8 for "go1.26.8"; a development version has the minor it
/// leads to.
struct GoVersion {
  int minor = 0;
  int patch = 0;  ///< 0 also for release candidates and development versions
  auto operator<=>(const GoVersion&) const = default;
};

/// What cmd/link puts into .go.buildinfo. A plain value: a recording stores it as it is.
struct BuildInfo {
  std::string go_version;   ///< "go1.26.8", "devel go1.28-1a2b3c"; never empty
  std::string experiments;  ///< "nodwarf5,greenteagc" of "go1.26.8-X:nodwarf5,greenteagc"
  std::string module_text;  ///< lines of "path\t…", "mod\t…", "dep\t…", "build\t…"; may be empty
  GoVersion version;        ///< {0, 0} if go_version cannot be read
};

/// Finds the number in a version string: the first "go1.<minor>[.<patch>]".
GoVersion parse_go_version(std::string_view text);

/// Reads section .go.buildinfo, else searches the writable segments at 16-byte steps for its magic.
/// Source of truth: debug/buildinfo/buildinfo.go. Errors: not_found (not a Go program, or the
/// information was removed), unsupported (Go before 1.18, which stores pointers), truncated.
Result<BuildInfo> find_build_info(const elf::File& file);

}  // namespace weir::gosym
