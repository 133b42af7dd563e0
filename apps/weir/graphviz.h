#pragma once
// Graphviz, where it is installed: from a graph in its language to a picture.
#include <string>

#include "weir/base/error.h"

namespace weir::app {

/// Has `dot` lay `graph` out into an SVG file. Errors: not_found when there is no dot (with what to
/// do); io when it fails.
Result<void> write_svg(const std::string& graph, const std::string& path);

}  // namespace weir::app
