#pragma once
// CallGraph: a profile summed up by function (or whatever the granularity is), and the calls
// between them.
#include <cstdint>
#include <string>
#include <vector>

#include "weir/model/profile.h"

namespace weir::model {

/// What a node of the graph stands for. Absent parts are empty or 0.
struct CallNodeName {
  std::string function, file, object;  ///< the file's path cleaned; the binary
  std::int64_t line = 0, column = 0, start_line = 0;
  std::uint64_t address = 0;

  /// As go tool pprof prints it: "000000000040123a main.f main.go:12".
  std::string text() const;
};

struct CallNode {
  CallNodeName name;
  std::string text;                         ///< name.text()
  std::int64_t flat = 0, flat_divisor = 0;  ///< itself
  std::int64_t cum = 0, cum_divisor = 0;    ///< with all that it calls
  std::vector<std::uint32_t> in, out;       ///< indices of edges, heaviest first

  std::int64_t flat_value() const { return mean_of(flat, flat_divisor); }
  std::int64_t cum_value() const { return mean_of(cum, cum_divisor); }
};

struct CallEdge {
  std::uint32_t caller = 0, callee = 0;  ///< indices of nodes
  std::int64_t weight = 0, divisor = 0;
  bool residual = false;  ///< over nodes that are left out
  bool inlined = true;    ///< every one of these calls was inlined
};

/// What of the graph is not in it, and how much that is.
struct CallGraphHidden {
  std::size_t light_nodes = 0;  ///< cum below node_cutoff
  std::int64_t node_cutoff = 0;
  std::size_t light_edges = 0;  ///< below edge_cutoff
  std::int64_t edge_cutoff = 0;
  std::size_t more_nodes = 0;  ///< beyond the number that was asked for
  std::int64_t flat = 0;       ///< of all nodes left out
  std::string heaviest;        ///< of them, by flat; empty if none
  std::int64_t heaviest_flat = 0;
};

struct CallGraph {
  std::string type, unit;       ///< of the values: "cpu", "nanoseconds"
  std::int64_t total = 0;       ///< what percentages refer to
  std::int64_t shown = 0;       ///< the nodes' flat values
  std::vector<CallNode> nodes;  ///< as they are to be printed
  std::vector<CallEdge> edges;
  CallGraphHidden hidden;
};

}  // namespace weir::model
