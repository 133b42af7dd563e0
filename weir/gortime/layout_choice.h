#pragma once
// Which layout a program is read with, and how sure that is.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/elf/file.h"
#include "weir/gortime/layout.h"
#include "weir/gosym/build_info.h"

namespace weir::gortime {

/// Facts found once that a recording keeps, so that the same program opens again from a few of its
/// pages: name → number.
using Hints = std::map<std::string, std::uint64_t>;

/// A layout that is not the table's own for this release, and so must pass check_layout() before
/// anything read with it may be shown.
struct Assumption {
  std::string unknown;  ///< why the table was of no use: "weir does not know the runtime of …"
  std::string source;   ///< "the program's own DWARF", "go1.27.4"
};

struct LayoutChoice {
  Layout layout;
  std::optional<Assumption> assumption;  ///< nothing: from the table, exact
};

/// The table's layout for the release; else what `hints` say that an earlier choice took; else the
/// layout that the DWARF in the file at `dwarf_path` (empty: none) tells, completed by the nearest
/// release; else that of the nearest release. Errors: unsupported, when the version has no number
/// at all.
Result<LayoutChoice> choose_layout(const gosym::BuildInfo& build, elf::Machine machine,
                                   const std::string& dwarf_path, const Hints& hints);

/// Adds what choose_layout() needs to choose the same layout again. Nothing for the table's own.
void note_layout(const LayoutChoice& choice, Hints& hints);

}  // namespace weir::gortime
