#include "weir/report/stop_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::report {

std::string stop_text(const model::Snapshot& snapshot) {
  if (snapshot.source.kind != model::SourceKind::process || !snapshot.stopped) return {};
  const auto hidden = std::count_if(snapshot.goroutines.begin(), snapshot.goroutines.end(),
                                    [](const model::Goroutine& g) { return g.system; });
  const std::size_t own = snapshot.goroutines.size() - static_cast<std::size_t>(hidden);
  std::string text = fmt::format("{} goroutine{}", own, own == 1 ? "" : "s");
  if (hidden > 0) text += fmt::format(" and {} of the runtime", hidden);
  return text + fmt::format(", stopped {}{}", to_text(*snapshot.stopped),
                            snapshot.partial ? ", partial" : "");
}

}  // namespace weir::report
