#pragma once
// `weir top` and `weir diff` for people, and as JSON (schemas "weir.top/1", "weir.diff/1",
// docs/json.md).
#include <string>

#include "weir/model/top.h"

namespace weir::report {

struct TopOptions {
  std::size_t top = 5;  ///< rows; 0 = all
  bool colour = false;
  std::string root;  ///< files below this folder are named relative to it; may be empty
};

std::string render_top(const model::TopReport& report, const TopOptions& options);
/// One row of it, the first line being its headline.
std::string render_top_row(const model::TopRow& row, std::size_t number,
                           const model::TopReport& report, const TopOptions& options);
/// What stayed the same is counted, not listed.
std::string render_trend(const model::TrendReport& report, const TopOptions& options);

/// One object and a line break, with all rows.
std::string render_top_json(const model::TopReport& report);
std::string render_trend_json(const model::TrendReport& report);

}  // namespace weir::report
