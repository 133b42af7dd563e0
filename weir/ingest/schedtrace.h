#pragma once
// The schedtrace lines of a file, of standard input, or of a program that weir starts.
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/schedtrace.h"

namespace weir::ingest {

struct SchedLines {
  std::vector<model::SchedSample> samples;
  std::uint64_t other_lines = 0;
  Notes notes;
};

/// More samples than this are not kept: the rest is left out with a note.
constexpr std::size_t most_sched_samples = 1'000'000;

/// Reads `fd` to its end. Lines of other kinds go to `others` (may be null). Errors: io.
Result<SchedLines> read_sched_lines(int fd, const std::function<void(std::string_view)>& others);
/// The same, of what `read` gives (as read(2) does).
Result<SchedLines> read_sched_lines(const std::function<ssize_t(char*, std::size_t)>& read,
                                    const std::function<void(std::string_view)>& others);
/// The environment with GODEBUG extended by `setting`.
std::vector<std::string> with_godebug(const std::vector<std::string>& environment,
                                      const std::string& setting);
/// The same of a file, or "-". Errors: not_found, denied, io; not_found when there is no such line.
Result<SchedLines> read_sched_file(const std::string& name);

struct SchedRun {
  SchedLines lines;
  int code = 0;  ///< as a shell sees it
};
/// Runs the program with GODEBUG=schedtrace=MILLIS (and scheddetail=1) added to what is set. Its
/// standard error passes through, without the schedtrace lines. Errors: not_found, denied, io.
Result<SchedRun> run_with_schedtrace(const std::vector<std::string>& argv, int millis, bool detail);

}  // namespace weir::ingest
