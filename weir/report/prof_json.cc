#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_graph_text.h"

namespace weir::report {

namespace {

void write_heading(JsonWriter& json, const model::Profile& profile, const model::CallGraph& graph) {
  json.member("schema", "weir.prof/1");
  json.member("type", graph.type);
  json.member("unit", graph.unit);
  json.member("total", graph.total);
  json.member("shown", graph.shown);
  json.member("samples", static_cast<std::uint64_t>(profile.samples.size()));
  if (!profile.mappings.empty()) {
    json.member_if("file", profile.mappings.front().file);
    json.member_if("build_id", profile.mappings.front().build_id);
  }
  if (profile.time_nanos != 0) json.member("time_ns", profile.time_nanos);
  if (profile.duration_nanos != 0) json.member("duration_ns", profile.duration_nanos);
}

void write_node(JsonWriter& json, const model::CallNode& node) {
  json.begin_object();
  json.member("name", node.text);
  json.member_if("function", node.name.function);
  json.member_if("file", node.name.file);
  if (node.name.line != 0) json.member("line", node.name.line);
  if (node.name.address != 0) json.member("address", node.name.address);
  json.member("flat", node.flat_value());
  json.member("cum", node.cum_value());
  json.end_object();
}

}  // namespace

std::string render_prof_json(const model::Profile& profile, const model::CallGraph& graph) {
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  write_heading(json, profile, graph);
  json.key("nodes");
  json.begin_array();
  for (const model::CallNode& node : graph.nodes) write_node(json, node);
  json.end_array();
  json.key("edges");
  json.begin_array();
  for (const model::CallEdge& edge : graph.edges) {
    json.begin_object();
    json.member("caller", std::uint64_t{edge.caller});
    json.member("callee", std::uint64_t{edge.callee});
    json.member("weight", model::mean_of(edge.weight, edge.divisor));
    json.member_if("inlined", edge.inlined);
    json.member_if("residual", edge.residual);
    json.end_object();
  }
  json.end_array();
  json.key("hidden");
  json.begin_object();
  const model::CallGraphHidden& hidden = graph.hidden;
  json.member("nodes", static_cast<std::uint64_t>(hidden.light_nodes + hidden.more_nodes));
  json.member("flat", hidden.flat);
  json.member_if("heaviest", hidden.heaviest);
  if (!hidden.heaviest.empty()) json.member("heaviest_flat", hidden.heaviest_flat);
  json.member("edges", static_cast<std::uint64_t>(hidden.light_edges));
  json.end_object();
  json.key("notes");
  write_notes(json, profile.notes);
  json.end_object();
  return out + "\n";
}

}  // namespace weir::report
