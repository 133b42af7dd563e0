#pragma once
// A Snapshot in Go's own traceback format, so that every tool for Go dumps reads it (format:
// goroutineheader, traceback2, printcreatedby1, printAncestorTraceback in src/runtime/traceback.go,
// go1.19–1.27). Why the extra lines are where they are: docs/decisions/0006-blocked-on-lines.md.
#include <string>

#include "weir/model/snapshot.h"

namespace weir::report {

/// Where that goes which older readers of Go's format do not know: what a goroutine is blocked on
/// (nobody's format has it) and its labels (in the header from Go 1.27 on).
enum class Extras : std::uint8_t {
  nowhere,
  at_end,      ///< comment lines after the last goroutine; every reader weir knows accepts them
  in_place,    ///< labels in the header as Go 1.27 prints them, "# blocked on" below it: for eyes
  labels_only  ///< labels in the header as Go 1.27 prints them, nothing else: Go's text exactly
};

struct TracebackOptions {
  Extras extras = Extras::at_end;
  bool system = false;  ///< the runtime's own goroutines and frames too (GOTRACEBACK=system)
  /// As Go: this many innermost and this many outermost frames, "...N frames elided..." between.
  /// 0 = all.
  std::size_t frames_each_end = 0;
  bool colour = false;
};

/// Ends with a line break unless there is no goroutine.
std::string render_traceback(const model::Snapshot& snapshot, const TracebackOptions& options = {});

/// One goroutine: header, frames, creator, ancestors; no blank line after.
void render_goroutine(std::string& out, const model::Goroutine& goroutine,
                      const TracebackOptions& options);

}  // namespace weir::report
