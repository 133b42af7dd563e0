#pragma once
// A program that weir starts to read its schedtrace lines.
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/ingest/schedtrace.h"

namespace weir::ingest {

struct SchedRunOptions {
  int millis = 100;     ///< between two lines
  bool detail = false;  ///< scheddetail=1, too
  /// Standard output comes line by line through on_line, too; else the program has weir's own.
  bool take_output = false;
  /// A line of the program's other output (with its line break), and where it belongs: 1 or 2.
  /// Null: it is written there.
  std::function<void(int fd, std::string_view line)> on_line;
  /// As soon as a sample is complete: with detail, that is when the next one begins. May be null.
  std::function<void(const model::SchedSample& sample, pid_t program)> on_sample;
};

struct SchedRun {
  SchedLines lines;
  int code = 0;  ///< as a shell sees it
};

/// Runs the program with GODEBUG=schedtrace=MILLIS (and scheddetail=1) added to what is set. Its
/// standard error passes through, without the schedtrace lines. While it runs, signals to weir go
/// on to it, and Ctrl-C, which it gets by itself, does not end weir. Errors: not_found, denied, io.
Result<SchedRun> run_with_schedtrace(const std::vector<std::string>& argv,
                                     const SchedRunOptions& options);

}  // namespace weir::ingest
