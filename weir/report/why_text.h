#pragma once
// `weir why` for people, as JSON (schema "weir.why/1", docs/json.md) and as a Graphviz graph.
#include <string>

#include "weir/model/why.h"

namespace weir::report {

struct WhyOptions {
  std::size_t top = 5;  ///< objects described; 0 = all. Cycles are always described
  bool colour = false;
  std::string root;  ///< files below this folder are named relative to it; may be empty
};

std::string render_why(const model::WhyReport& report, const WhyOptions& options);
std::string render_why_json(const model::WhyReport& report);
/// Boxes are goroutines, ellipses what they are blocked on, notes variables, octagons timers, and a
/// diamond the network poller; red arrows make a cycle.
std::string render_why_dot(const model::WhyReport& report);

}  // namespace weir::report
