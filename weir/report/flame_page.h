#pragma once
// Flame graphs as files.
#include <string>

#include "weir/model/flame.h"

namespace weir::report {

/// One page that needs nothing else: search, zoom, inversion, filter by label, keyboard.
std::string render_flame_html(const model::Flame& flame);
/// A picture with a tooltip on every box.
std::string render_flame_svg(const model::Flame& flame);

/// What the picture does not show, a sentence each.
std::vector<std::string> flame_remarks(const model::Flame& flame);

}  // namespace weir::report
