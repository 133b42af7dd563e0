#pragma once
// The layouts that weir knows by heart: one for each Go release it was generated from (go1.19–1.27,
// amd64 and arm64; tools/layoutgen), and how a program's layout is chosen.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/elf/file.h"
#include "weir/gortime/layout.h"
#include "weir/gosym/build_info.h"

namespace weir::gortime {

/// A range of releases with one layout: go1.`minor`.`first_patch` to go1.`minor`.`last_patch`.
struct LayoutRange {
  elf::Machine machine = elf::Machine::amd64;
  int minor = 0;
  int first_patch = 0;
  int last_patch = 0;
};

/// What the table holds, by machine, then ascending.
std::vector<LayoutRange> known_layouts();

/// Whether weir knows this Go exactly: a release in the table, built without a GOEXPERIMENT that
/// may move fields. Candidates, development versions and vendors' variants ("go1.22.9-corp") are
/// not.
Result<void> check_known(const gosym::BuildInfo& build, elf::Machine machine);

/// The layout of a release in the table. Errors: unsupported, with a sentence that names the
/// version and what is known (check_known).
Result<Layout> find_layout(const gosym::BuildInfo& build, elf::Machine machine);

/// A layout to start from when find_layout() refuses.
struct NearLayout {
  Layout layout;
  gosym::GoVersion of;  ///< the release it belongs to
};
/// The nearest release of the table: the same minor if there is one, else the nearest minor.
NearLayout nearest_layout(gosym::GoVersion version, elf::Machine machine);

}  // namespace weir::gortime
