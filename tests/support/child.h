#pragma once
// Child: a process that a test starts, reads and ends. Nothing of it outlives the Child.
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::test_support {

using Seconds = std::chrono::duration<double>;

/// How a process ended: by exit (signal == 0) or by a signal (code == -1).
struct ExitStatus {
  int code = -1;
  int signal = 0;
  bool core_dumped = false;
  bool operator==(const ExitStatus&) const = default;
};
/// "exit 2", "signal 6 (Aborted)".
std::string to_string(const ExitStatus& status);

struct ChildOptions {
  std::vector<std::string> environment = {};  ///< "KEY=VALUE" set over the test's own; "KEY" unsets
  std::string directory = {};                 ///< working directory; empty keeps the test's
  bool core_files = false;                    ///< let it leave a core where the kernel is told to
  bool own_process_group = false;             ///< so that a signal can reach its whole group
};

/// Owns one running process with its stdin, stdout and stderr as pipes. Output is drained into
/// memory by a thread, so the process never blocks on a full pipe. The destructor kills the process
/// (and its group when it has its own) and reaps it; the kernel kills it too if the test dies.
class Child {
 public:
  /// Errors: not_found, denied, io from fork, chdir or exec.
  static Result<Child> start(const std::vector<std::string>& argv,
                             const ChildOptions& options = {});
  Child(Child&&) noexcept;
  Child& operator=(Child&&) noexcept;
  ~Child();

  pid_t pid() const;
  /// Everything written so far.
  std::string out() const;
  std::string err() const;

  /// The first line of stdout that begins with `prefix`, as soon as it is there. Lines already
  /// taken by an earlier call are searched again. Errors: limit after `timeout`, gone when the
  /// output ended without it; both carry what the process printed.
  Result<std::string> wait_for_line(std::string_view prefix, Seconds timeout = Seconds(60));
  /// The same for stderr.
  Result<std::string> wait_for_error_line(std::string_view prefix, Seconds timeout = Seconds(60));

  Result<void> write(std::string_view text);
  void close_stdin();
  /// Sends `signal` to the process. Errors: gone, denied.
  Result<void> signal(int signal);

  /// Waits until the process has ended and both outputs are closed, and reaps it. May be called
  /// again. Errors: limit after `timeout` (the process is left running).
  Result<ExitStatus> wait(Seconds timeout = Seconds(60));
  bool running();

 private:
  struct State;
  explicit Child(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Completed {
  ExitStatus exit;
  std::string out;
  std::string err;
};

/// Starts, closes stdin, waits, returns everything. Errors: those of start(); limit after `timeout`
/// (then the process has been killed).
Result<Completed> run(const std::vector<std::string>& argv, const ChildOptions& options = {},
                      Seconds timeout = Seconds(120));

}  // namespace weir::test_support
