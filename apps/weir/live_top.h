#pragma once
// `weir top -f`: the groups of a running program, looked at again and again in a terminal.
#include <string>

#include "apps/weir/table_flags.h"

namespace weir::app {

struct LiveTop {
  std::string name;  ///< of the evidence
  Nanos every{2'000'000'000};
  analysis::TopQuery query;
  TableRequest table;
  std::string patterns;  ///< the filters as the user wrote them, for the title
};

/// Until the user quits, or a signal comes. Errors: usage (no terminal), and those of the first
/// look; later ones are on the screen.
Result<void> run_live_top(LiveTop request);

}  // namespace weir::app
