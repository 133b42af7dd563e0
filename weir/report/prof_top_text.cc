// -top, -tree and -peek of `weir prof`, and what they leave out.
#include <fmt/format.h>

#include "weir/model/units.h"
#include "weir/report/prof_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::CallEdge;
using model::CallGraph;
using model::CallNode;
using model::percentage;

namespace {

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

// reportLabels, report.go.
std::string heading(const model::Profile& profile, const CallGraph& graph, const ValueWords& words,
                    const ProfOptions& options) {
  std::string text;
  for (const std::string& line :
       heading_lines(profile, {graph.type, graph.unit, graph.total}, words))
    (text += line) += '\n';
  if (!options.filters.empty()) text += "Active filters:\n";
  for (const std::string& filter : options.filters)
    text += fmt::format("   {}{}\n", filter.substr(0, 80), filter.size() > 80 ? "…" : "");
  text += fmt::format("Showing nodes accounting for {}, {} of {} total\n", words(graph.shown),
                      trimmed(percentage(graph.shown, graph.total)), words(graph.total));
  const model::CallGraphHidden& hidden = graph.hidden;
  if (graph.total == 0) return text;
  if (hidden.light_nodes > 0)
    text += fmt::format("Dropped {} (cum <= {})\n", plural(hidden.light_nodes, "node"),
                        words(hidden.node_cutoff));
  if (hidden.more_nodes > 0)
    text += fmt::format("Showing top {} nodes out of {}\n", graph.nodes.size(),
                        graph.nodes.size() + hidden.more_nodes);
  return text;
}

/// Where calls of this node were inlined: all of them, some, or none.
std::string_view inline_mark(const CallGraph& graph, const CallNode& node) {
  bool inlined = false, called = false;
  for (const std::uint32_t edge : node.in) {
    inlined = inlined || graph.edges[edge].inlined;
    called = called || !graph.edges[edge].inlined;
  }
  if (!inlined) return "";
  return called ? " (partial-inline)" : " (inline)";
}

void append_edge(std::string& out, const CallGraph& graph, const CallEdge& edge,
                 std::uint32_t other, std::int64_t cum, const ValueWords& words) {
  out += fmt::format("{:>50} {} |   {}{}\n", words(edge.weight), percentage(edge.weight, cum),
                     printable(graph.nodes[other].text), edge.inlined ? " (inline)" : "");
}

}  // namespace

std::string render_prof_top(const model::Profile& profile, const CallGraph& graph,
                            const ProfOptions& options) {
  ValueWords words(graph.unit, options);
  words.fit(graph);
  std::string out = heading(profile, graph, words, options);
  out += fmt::format("{:>10} {:>5}% {:>5}% {:>10} {:>5}%\n", "flat", "flat", "sum", "cum", "cum");
  std::int64_t sum = 0;
  for (const CallNode& node : graph.nodes) {
    const std::int64_t flat = node.flat_value(), cum = node.cum_value();
    sum = model::wrapping_add(sum, flat);
    out += fmt::format("{:>10} {} {} {:>10} {}  {}{}\n", words(flat), percentage(flat, graph.total),
                       percentage(sum, graph.total), words(cum), percentage(cum, graph.total),
                       printable(node.text), inline_mark(graph, node));
  }
  return out;
}

Result<std::string> render_prof_tree(const model::Profile& profile, const CallGraph& graph,
                                     const ProfOptions& options, const Pattern* only) {
  constexpr std::string_view separator =
      "----------------------------------------------------------+-------------\n";
  ValueWords words(graph.unit, options);
  words.fit(graph);
  std::string out = heading(profile, graph, words, options);
  out += separator;
  out += "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n";
  std::int64_t sum = 0;
  bool matched = false;
  for (const CallNode& node : graph.nodes) {
    if (only != nullptr && !only->matches(node.text)) continue;
    matched = true;
    const std::int64_t flat = node.flat_value(), cum = node.cum_value();
    out += separator;
    for (const std::uint32_t at : node.in)
      append_edge(out, graph, graph.edges[at], graph.edges[at].caller, cum, words);
    sum = model::wrapping_add(sum, flat);
    out += fmt::format("{:>10} {} {} {:>10} {}                | {}\n", words(flat),
                       percentage(flat, graph.total), percentage(sum, graph.total), words(cum),
                       percentage(cum, graph.total), printable(node.text));
    for (const std::uint32_t at : node.out)
      append_edge(out, graph, graph.edges[at], graph.edges[at].callee, cum, words);
  }
  if (!graph.nodes.empty()) out += separator;
  if (only != nullptr && !matched)
    return fail(ErrorCode::not_found,
                fmt::format("no function of the profile matches \"{}\"", only->text()));
  return out;
}

std::string render_prof_hidden(const model::Profile& profile, const CallGraph& graph,
                               const ProfOptions& options) {
  ValueWords words(graph.unit, options);
  words.fit(graph);
  const model::CallGraphHidden& hidden = graph.hidden;
  std::string out;
  if (hidden.light_nodes + hidden.more_nodes > 0) {
    out += fmt::format("Not shown: {}", plural(hidden.light_nodes + hidden.more_nodes, "node"));
    out += fmt::format(" with {} ({}) of flat", words(hidden.flat),
                       trimmed(percentage(hidden.flat, graph.total)));
    if (!hidden.heaviest.empty())
      out += fmt::format("; the heaviest is {} with {} ({})", printable(hidden.heaviest),
                         words(hidden.heaviest_flat),
                         trimmed(percentage(hidden.heaviest_flat, graph.total)));
    out += hidden.light_nodes > 0 ? ". -nodefraction 0 shows all\n" : "\n";
  }
  if (hidden.light_edges > 0)
    out += fmt::format("Not shown: {} below {}. -edgefraction 0 shows all\n",
                       plural(hidden.light_edges, "edge"), words(hidden.edge_cutoff));
  for (const Note& note : profile.notes.all())
    out += fmt::format("Note: {}{}{}\n", printable(note.text), note.advice.empty() ? "" : "; ",
                       printable(note.advice));
  return out;
}

}  // namespace weir::report
