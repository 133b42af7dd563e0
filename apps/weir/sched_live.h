#pragma once
// `weir schedtrace -live`: the scheduler's state below the program's output.
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/schedtrace.h"

namespace weir::app {

/// On a terminal a few lines at the end of what the program writes, drawn again with every sample;
/// elsewhere a line of text now and then. All of it on standard error. Changes no setting of the
/// terminal: whatever ends weir, at most these lines stay on it. When this ends they are gone.
class SchedLive {
 public:
  SchedLive();
  SchedLive(const SchedLive&) = delete;
  SchedLive& operator=(const SchedLive&) = delete;
  ~SchedLive();

  /// Whether the program's standard output would be written into the lines: it must come through
  /// line().
  bool needs_output() const;
  /// A line of the program's, for descriptor 1 or 2.
  void line(int fd, std::string_view text);
  void sample(const model::SchedSample& sample);

 private:
  static constexpr std::size_t most_kept = 300;  // samples

  /// What draws the lines at the cursor, and what takes them away again.
  std::string drawn();
  std::string erased();
  void print_plain(const model::SchedReport& report);

  bool on_terminal_;
  std::vector<std::string> lines_;
  std::size_t drawn_ = 0;  // how many of them are on the terminal
  Nanos told_{-1};         // when the last line of text was written
  std::vector<model::SchedSample> recent_;
};

}  // namespace weir::app
