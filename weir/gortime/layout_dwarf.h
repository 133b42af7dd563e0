#pragma once
// A Layout from the DWARF of the program at hand.
#include <string>
#include <vector>

#include "weir/elf/dwarf.h"
#include "weir/gortime/layout.h"

namespace weir::gortime {

struct DwarfLayout {
  Layout layout;
  /// Members of Layout whose type the program's DWARF does not describe at all (the linker leaves
  /// out types that nothing refers to): taken from `otherwise` where that was given, else absent.
  std::vector<std::string> not_described;
};

/// Evaluates every line of layout_fields.inc. `otherwise` (may be null) is the layout of the same
/// Go release from the table.
DwarfLayout layout_from_dwarf(const elf::DwarfTypes& types, const Layout* otherwise);

/// What differs between two layouts: "g.goid is 152, expected 160". For notes and tests.
std::vector<std::string> differences(const Layout& layout, const Layout& expected);

}  // namespace weir::gortime
