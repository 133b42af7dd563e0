#pragma once
// `weir why` for people, as JSON (schema "weir.why/1", docs/json.md) and as a Graphviz graph.
#include <functional>
#include <string>
#include <string_view>

#include "weir/model/why.h"

namespace weir::report {

struct WhyOptions {
  std::size_t top = 5;  ///< objects described; 0 = all. Cycles are always described
  bool colour = false;
  std::string root;  ///< files below this folder are named relative to it; may be empty
};

std::string render_why(const model::WhyReport& report, const WhyOptions& options);
using TextSink = std::function<void(std::string_view)>;
/// Piece by piece: of 100,000 goroutines it is some 50 MB.
void write_why_json(const model::WhyReport& report, const TextSink& sink);
/// Boxes are goroutines, ellipses what they are blocked on, notes variables, octagons timers, and a
/// diamond the network poller; red arrows make a cycle.
std::string render_why_dot(const model::WhyReport& report);

}  // namespace weir::report
