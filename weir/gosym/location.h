#pragma once
// Location: where the symbols of a Go program are. Found once; a recording stores it.
#include <vector>

#include "weir/gosym/module_data.h"

namespace weir::gosym {

/// All that Table::open() needs besides the file. A plain value, in link addresses.
struct Location {
  LinkAddr pclntab;                        ///< pcHeader
  LinkAddr text;                           ///< what entry offsets count from
  LinkAddr gofunc;                         ///< what FUNCDATA offsets count from
  LinkAddr types;                          ///< what type name offsets count from
  std::vector<TextSection> text_sections;  ///< base: link address; empty unless there are two
  int go_minor = 0;  ///< 0 if not known: then read as the newest with this table format
};

/// From a moduledata found in memory (`bias`: the program's) or in the file (bias 0).
Location to_location(const ModuleData& data, LoadBias bias, int go_minor);

/// From the file alone. Errors: not_found (no function table, or no moduledata in the file: then
/// find_live_module_data() may still find it), unsupported.
Result<Location> locate(const elf::File& file, int go_minor);

}  // namespace weir::gosym
