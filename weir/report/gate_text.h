#pragma once
// The gate's report for people.
#include <optional>
#include <string>

#include "weir/model/gate.h"

namespace weir::report {

struct TextOptions {
  int top = 5;          ///< findings described in full; the rest get one line each; 0 = all in full
  bool colour = false;  ///< see wants_colour
  bool verbose = false;  ///< goroutine counts per test
  int width = 100;       ///< sentences are wrapped at this column
  std::string root;      ///< files below this folder are named relative to it; may be empty
};

/// Empty when there is nothing to say (no finding, nothing unchecked, not verbose).
std::string render_gate_text(const model::GateReport& report, const TextOptions& options = {});

std::string render_stuck_text(const model::StuckDiagnosis& diagnosis,
                              const TextOptions& options = {});

/// NO_COLOR not set (or empty), TERM not "dumb", and a terminal. CLICOLOR_FORCE or FORCE_COLOR wins
/// over "no terminal". Null stands for an unset variable.
bool wants_colour(bool is_terminal, const char* no_color, const char* term,
                  const char* force_color);

}  // namespace weir::report
