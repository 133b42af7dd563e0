#pragma once
// The schedtrace lines of a file or of standard input.
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/gotrace/schedtrace.h"
#include "weir/model/schedtrace.h"

namespace weir::ingest {

struct SchedLines {
  std::vector<model::SchedSample> samples;
  std::uint64_t other_lines = 0;
  Notes notes;
};

/// More samples than this are not kept: the rest is left out with a note.
constexpr std::size_t most_sched_samples = 1'000'000;

/// Standard error of a Go program, in pieces. Lines of other kinds go to `others`, samples also to
/// `on_sample`; both may be null.
class SchedCollector {
 public:
  SchedCollector(std::function<void(std::string_view)> others,
                 std::function<void(const model::SchedSample&)> on_sample);
  SchedCollector(const SchedCollector&) = delete;
  SchedCollector& operator=(const SchedCollector&) = delete;

  void feed(std::string_view piece) { parser_.feed(piece); }
  /// May be called once.
  SchedLines finish();

 private:
  SchedLines lines_;
  std::uint64_t left_out_ = 0;
  gotrace::SchedParser parser_;
};

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

}  // namespace weir::ingest
