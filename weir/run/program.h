#pragma once
// Program: what a session must know of the Go program it started, and how it reads goroutines.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"
#include "weir/target/registers.h"

namespace weir::run {

/// One goroutine as a glance shows it; enough to see whether it moved.
struct Glance {
  Goid id;
  model::Status status = model::Status::unknown;
  bool system = false;          ///< the runtime's own
  std::string wait_reason;      ///< Go's words; empty unless waiting
  std::uint64_t parked_as = 0;  ///< as in model::Goroutine
  bool operator==(const Glance&) const = default;
};

/// A timer that the runtime will fire, but for the alarm of go test's -timeout.
struct Timer {
  std::string function;  ///< runtime.timer.f; empty if unknown
  std::string calls;     ///< what time.AfterFunc calls; may be empty
  Nanos fires_in;        ///< negative = due
};

struct ThreadState {
  int tid = 0;
  target::Registers registers;
  std::vector<std::uint64_t> vectors = {};  ///< of its vector registers; for a proof only
};

/// Fields of the runtime that sessions read themselves, as byte offsets (gortime/layout.h).
struct Fields {
  std::uint64_t g_id = 0;          ///< runtime.g.goid
  std::uint64_t g_stack_low = 0;   ///< runtime.g.stack.lo
  std::uint64_t g_stack_high = 0;  ///< runtime.g.stack.hi
  std::uint64_t test_name = 0;     ///< testing.common.name, the first field of T, B and F
  bool has_test_name = false;      ///< false: the version's layout of testing is not known
};

/// Errors of reading: gone, denied, unsupported (version), invalid (what is there makes no sense).
class Program {
 public:
  virtual ~Program() = default;

  virtual const std::string& go_version() const = 0;
  virtual const std::string& build_id() const = 0;
  /// Import path from the build information, without a test binary's ".test"; may be empty.
  virtual const std::string& package() const = 0;
  /// Entry of the function with Go's link name, in this process.
  virtual std::optional<Address> find_function(std::string_view name) const = 0;

  virtual const Fields& fields() const = 0;
  /// runtime.debug.tracebackancestors, an int32; nothing if it was not found.
  virtual std::optional<Address> find_traceback_ancestors() const = 0;

  // What follows reads memory, and needs the runtime to be up (runtime.main was reached): before, a
  // position-independent program is not relocated.

  /// All goroutines; every thread of the program is stopped, and these are their registers.
  virtual Result<model::Snapshot> read_stopped(const std::vector<ThreadState>& threads) = 0;
  /// Which goroutines are leaked; as read_stopped(), and with the threads' vector registers. Takes
  /// about a second for each GB of heap, in which the program stands.
  virtual model::Proof prove_stopped(const std::vector<ThreadState>& threads) = 0;
  /// All goroutines at a glance, ascending id, dead ones left out. The program may be running.
  virtual Result<std::vector<Glance>> glance() = 0;
  /// Timers in the runtime's heaps. The program may be running.
  virtual Result<std::vector<Timer>> read_timers() = 0;
};

/// Opens the program of a process that has just been executed (no instruction of it has run):
/// everything that comes from its file. Errors: unsupported (not Go, or a version weir does not
/// know), and those of reading.
Result<std::unique_ptr<Program>> open_program(int pid);

}  // namespace weir::run
