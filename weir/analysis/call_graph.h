#pragma once
// Profile → CallGraph, with the numbers of go tool pprof
// (github.com/google/pprof/internal/graph, internal/report, as vendored by go1.26).
#include <limits>

#include "weir/model/call_graph.h"
#include "weir/model/profile.h"

namespace weir::analysis {

struct GraphOptions {
  double node_fraction = 0.005;  ///< nodes with less of the total than that are left out
  double edge_fraction = 0.001;
  std::size_t node_count = 0;  ///< at most so many nodes; 0: all
  bool by_cum = false;         ///< the order of nodes; else by flat
  bool drop_negative = false;  ///< leave out nodes below 0 (differences)
  bool edges = true;           ///< false: only what -top needs of them
  bool objects = false;        ///< nodes differ by binary
};

struct Total {
  std::int64_t value = 0;
  bool of_base = false;  ///< a -diff_base: of the base's samples only
};
/// What percentages refer to: the sum of the samples' magnitudes. To be taken before filters are
/// applied, which do not change it.
Total total_of(const model::Profile& profile, model::ValueChoice choice);

/// Nodes in the order that they are printed in.
model::CallGraph call_graph(const model::Profile& profile, model::ValueChoice choice, Total total,
                            const GraphOptions& options);

}  // namespace weir::analysis
