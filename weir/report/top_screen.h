#pragma once
// `weir top -f`: groups as a table that fits a terminal.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/model/top.h"
#include "weir/report/top_text.h"

namespace weir::report {

/// What is on the screen besides the groups.
struct TopView {
  std::size_t columns = 80;
  std::size_t rows = 24;
  std::size_t selected = 0;  ///< index into the report's rows
  bool open = false;         ///< show the stack of the selected group
  bool help = false;         ///< show what the keys do, in place of the groups
  bool paused = false;
  Nanos every;
  Nanos at;              ///< when the look was taken
  std::string missed;    ///< not empty: the look after it saw nothing, and this is why
  std::string patterns;  ///< what was asked for: "-focus app"
  /// Counts by key that changes are counted from; none: no changes yet.
  std::optional<std::map<std::string, std::uint64_t>> base;
};

/// The lines of the screen from its top, at most `view.rows`, each at most `view.columns` wide; the
/// last has the keys.
std::vector<std::string> render_top_screen(const model::TopReport& report, const TopView& view,
                                           const TopOptions& options);

/// The counts of the report's rows, as a base for changes.
std::map<std::string, std::uint64_t> counts_by_key(const model::TopReport& report);

/// `text` cut to so many characters, the last then being "…".
std::string clipped(std::string_view text, std::size_t columns);

}  // namespace weir::report
