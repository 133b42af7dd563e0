// A call graph for Graphviz.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weir/model/units.h"
#include "weir/report/prof_graph_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::CallGraph;
using model::CallNode;

namespace {

/// Within quotes; a line break is what Graphviz takes for one ("\\n", or "\\l" for left-aligned).
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

double share_of(std::int64_t value, std::int64_t total) {
  return total == 0 ? 0 : static_cast<double>(value) / static_cast<double>(total);
}

/// Grey to red for what costs, to green for what was saved.
std::string colour(double share) {
  const double strength = std::min(1.0, std::abs(share));
  return fmt::format("\"{} {:.3f} 0.95\"", share < 0 ? "0.33" : "0.0",
                     0.05 + 0.5 * std::sqrt(strength));
}

std::string label_of(const CallNode& node, const CallGraph& graph, const ValueWords& words) {
  // A name too long for a box breaks before its last part.
  const std::size_t slash = node.text.rfind('/');
  const bool breaks = slash != std::string::npos && node.text.size() > 40;
  const std::string_view name = node.text;
  std::string out =
      breaks ? escaped(name.substr(0, slash + 1)) + "\\n" + escaped(name.substr(slash + 1))
             : escaped(name);
  const std::int64_t flat = node.flat_value(), cum = node.cum_value();
  out += fmt::format("\\n{} ({})", words(flat), trimmed(model::percentage(flat, graph.total)));
  if (cum != flat)
    out += fmt::format("\\nof {} ({})", words(cum), trimmed(model::percentage(cum, graph.total)));
  return out;
}

}  // namespace

std::string render_prof_dot(const model::Profile& profile, const CallGraph& graph,
                            const ProfOptions& options) {
  ValueWords words(graph.unit, options);
  words.fit(graph);
  std::string legend;
  for (const std::string& line :
       heading_lines(profile, {graph.type, graph.unit, graph.total}, words))
    legend += escaped(line) + "\\l";
  legend += fmt::format("Showing nodes accounting for {}, {} of {} total\\l", words(graph.shown),
                        trimmed(model::percentage(graph.shown, graph.total)), words(graph.total));
  const std::size_t left_out = graph.hidden.light_nodes + graph.hidden.more_nodes;
  if (left_out > 0)
    legend +=
        fmt::format("Not shown: {} nodes with {} of flat\\l", left_out, words(graph.hidden.flat));
  std::string out =
      fmt::format("digraph \"{}\" {{\nnode [style=filled fillcolor=\"#f8f8f8\" shape=box]\n",
                  escaped(graph.type));
  out +=
      fmt::format("subgraph cluster_L {{ legend [shape=box fontsize=16 label=\"{}\"] }}\n", legend);
  std::int64_t heaviest = 1;
  for (const CallNode& node : graph.nodes)
    heaviest = std::max(heaviest, model::magnitude(node.flat_value()));
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const CallNode& node = graph.nodes[i];
    const double size = 8 + 16 * std::sqrt(std::abs(share_of(node.flat_value(), heaviest)));
    out += fmt::format("N{} [label=\"{}\" fontsize={:.0f} tooltip=\"{}\" fillcolor={}]\n", i + 1,
                       label_of(node, graph, words), std::ceil(size), escaped(node.text),
                       colour(share_of(node.cum_value(), graph.total)));
  }
  for (const model::CallEdge& edge : graph.edges) {
    const std::int64_t weight = model::mean_of(edge.weight, edge.divisor);
    const double share = std::min(1.0, std::abs(share_of(weight, graph.total)));
    out += fmt::format("N{} -> N{} [label=\" {}{}\" weight={:.0f} penwidth={:.0f}{}]\n",
                       edge.caller + 1, edge.callee + 1, words(weight),
                       edge.inlined ? "\\n (inline)" : "", 1 + share * 100, 1 + share * 5,
                       edge.residual ? " style=\"dotted\"" : "");
  }
  return out + "}\n";
}

}  // namespace weir::report
