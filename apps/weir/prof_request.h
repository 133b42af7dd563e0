#pragma once
// What the command line of `weir prof` asks for.
#include <optional>
#include <string>
#include <vector>

#include "apps/weir/flags.h"
#include "weir/analysis/call_graph.h"
#include "weir/analysis/profile_filter.h"
#include "weir/ingest/evidence.h"
#include "weir/model/profile_health.h"
#include "weir/report/prof_text.h"

namespace weir::app {

enum class ProfView : std::uint8_t {
  top,
  tree,
  peek,
  list,
  traces,
  tags,
  raw,
  proto,
  folded,
  dot,
  callgrind,
  speedscope,
  svg,
  html,
  cluster,
  health,
  collect,
};

struct ProfRequest {
  ProfView view = ProfView::top;
  /// Of -peek and -list a pattern, of -proto, -svg and -html a file, of -cluster a label, of
  /// -collect the kinds.
  std::string argument;
  bool json = false;
  model::HealthLimits limits;
  std::string junit, sarif;  ///< files that -health writes
  std::string folder;        ///< of -collect
  std::vector<std::string> base;
  bool diff = false, normalize = false;
  std::string sample_index;
  bool mean = false, relative = false;
  double divide_by = 1;
  analysis::ProfileFilter filter;
  std::optional<analysis::Granularity> granularity;
  bool noinlines = false, showcolumns = false;
  std::optional<std::size_t> node_count;
  std::optional<double> node_fraction, edge_fraction;
  bool by_cum = false, drop_negative = false;
  report::ProfOptions text;  ///< the unit, and the filters in words
  std::string source_path;   ///< where -list looks for source files
  ingest::EvidenceOptions evidence;
  int seconds = 0;  ///< of a profile from a URL; 0: the server's default
};

/// The flags, which set `request`; it must outlive them.
std::vector<Flag> prof_flags(ProfRequest& request);

}  // namespace weir::app
