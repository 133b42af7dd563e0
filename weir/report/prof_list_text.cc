// -list of `weir prof`: source lines with values.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "weir/model/units.h"
#include "weir/report/prof_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::CallGraph;
using model::CallNode;

namespace {

using Nodes = std::vector<const CallNode*>;

struct Sums {
  std::int64_t flat = 0, cum = 0;
  void add(const CallNode& node) {
    flat = model::wrapping_add(flat, node.flat);
    cum = model::wrapping_add(cum, node.cum);
  }
};

/// The lines to print, [first, last]: from the function's start, or a few lines before the first
/// value, to a few lines behind the last (getSourceFromFile, internal/report/source.go).
std::pair<std::int64_t, std::int64_t> window(const Nodes& nodes) {
  constexpr std::int64_t margin = 5;
  std::int64_t first = nodes.front()->name.line, last = first;
  for (const CallNode* node : nodes) {
    const std::int64_t start =
        node->name.start_line != 0 ? node->name.start_line : node->name.line - margin;
    first = std::min(first, start);
    last = std::max(last, node->name.line);
  }
  return {std::max<std::int64_t>(first, 1), last + margin};
}

void append_lines(std::string& out, const Nodes& nodes, const std::vector<std::string>& source,
                  const ValueWords& words) {
  std::map<std::int64_t, Sums> sums;
  for (const CallNode* node : nodes) sums[node->name.line].add(*node);
  const auto word = [&](std::int64_t value) { return value == 0 ? "." : words(value); };
  const auto [first, last] = window(nodes);
  for (std::int64_t line = first; line <= last; ++line) {
    if (line > static_cast<std::int64_t>(source.size())) break;
    out += fmt::format("{:>10} {:>10} {:>6}:{}\n", word(sums[line].flat), word(sums[line].cum),
                       line, source[static_cast<std::size_t>(line - 1)]);
  }
}

}  // namespace

Result<std::string> render_prof_list(const CallGraph& graph, const ProfOptions& options,
                                     const Pattern& functions, const ReadSource& read) {
  std::map<std::string, std::map<std::string, Nodes>> found;
  for (const CallNode& node : graph.nodes)
    if (functions.matches(node.name.function))
      found[node.name.function][node.name.file].push_back(&node);
  if (found.empty())
    return fail(ErrorCode::not_found,
                fmt::format("no function of the profile matches \"{}\"", functions.text()));
  const ValueWords words(graph.unit, options);
  std::string out = fmt::format("Total: {}\n", words(graph.total));
  for (const auto& [name, files] : found) {
    if (files.size() == 1 && files.begin()->first.empty())
      out += fmt::format("No source information for {}\n", printable(name));
    for (const auto& [file, nodes] : files) {
      if (file.empty()) continue;
      Sums sums;
      for (const CallNode* node : nodes) sums.add(*node);
      out += fmt::format("ROUTINE ======================== {} in {}\n", printable(name),
                         printable(file));
      out += fmt::format("{:>10} {:>10} (flat, cum) {} of Total\n", words(sums.flat),
                         words(sums.cum), model::percentage(sums.cum, graph.total));
      const auto source = read(file);
      if (source) {
        append_lines(out, nodes, *source, words);
      } else {
        out += fmt::format(" Error: {}\n", printable(to_string(source.error())));
      }
    }
  }
  return out;
}

}  // namespace weir::report
