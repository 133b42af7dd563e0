#pragma once
// The lines that GODEBUG=schedtrace=N and scheddetail=1 print among a program's other standard
// error. Source of truth: schedtrace, src/runtime/proc.go, go1.19–1.27.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::gotrace {

/// One SCHED line, with the lines of detail that follow it. What a version does not print is 0 or
/// absent.
struct SchedSample {
  std::uint64_t millis = 0;  ///< since the first line
  std::uint64_t gomaxprocs = 0, idle_procs = 0, threads = 0, spinning_threads = 0, idle_threads = 0;
  std::uint64_t run_queue = 0;               ///< the global one
  std::vector<std::uint64_t> local_queues;   ///< by P
  std::optional<std::uint64_t> sched_ticks;  ///< of all Ps together; go1.26 on, or with detail
  bool detailed = false;
  bool gc_waiting = false;
  std::uint64_t runnable = 0, running = 0, in_syscall = 0, waiting = 0;  ///< detail: goroutines
  std::map<std::string, std::uint64_t> waiting_for;                      ///< detail: by wait reason
};

/// Takes the text in pieces. Lines of any other kind are handed on untouched, without their line
/// break.
class SchedParser {
 public:
  static constexpr std::size_t longest_line = std::size_t{1} << 20;  ///< the rest is dropped
  using SampleSink = std::function<void(const SchedSample&)>;
  using LineSink = std::function<void(std::string_view)>;

  SchedParser(SampleSink samples, LineSink others)
      : samples_(std::move(samples)), others_(std::move(others)) {}

  void feed(std::string_view piece);
  /// The last line and the last sample.
  void finish();
  std::uint64_t cut_lines() const { return cut_lines_; }

 private:
  void line(std::string_view text);
  bool detail(std::string_view text);
  void flush();

  SampleSink samples_;
  LineSink others_;
  std::string rest_;
  bool cutting_ = false;
  std::uint64_t cut_lines_ = 0;
  std::optional<SchedSample> current_;
};

}  // namespace weir::gotrace
