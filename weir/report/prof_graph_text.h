#pragma once
// A profile in the formats of other tools.
#include <string>

#include "weir/model/call_graph.h"
#include "weir/model/profile.h"
#include "weir/report/prof_text.h"

namespace weir::report {

/// Graphviz: boxes by their own value, edges by weight.
std::string render_prof_dot(const model::Profile& profile, const model::CallGraph& graph,
                            const ProfOptions& options);
/// For KCachegrind; `graph` is by address and whole.
std::string render_prof_callgrind(const model::CallGraph& graph, const ProfOptions& options);
/// Brendan Gregg's folded stacks: "main.main;main.f 12", root first, equal stacks once.
void print_prof_folded(const model::Profile& profile, model::ValueChoice choice,
                       const Print& print);
/// https://www.speedscope.app/file-format-schema.json, one profile of type "sampled".
void print_prof_speedscope(const model::Profile& profile, model::ValueChoice choice,
                           const std::string& name, const Print& print);
/// Schema "weir.prof/1", docs/json.md.
std::string render_prof_json(const model::Profile& profile, const model::CallGraph& graph);

}  // namespace weir::report
