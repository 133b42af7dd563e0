#pragma once
// From gathered goroutine states to model::Snapshot: unwinds, looks names up, says what each one
// waits on. Needs the program's symbols, but never the process: all of this happens after the
// target runs again.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weir/gortime/goroutine.h"
#include "weir/gortime/program.h"
#include "weir/gortime/unwind.h"
#include "weir/ingest/blocking.h"
#include "weir/ingest/census.h"
#include "weir/model/snapshot.h"
#include "weir/target/registers.h"

namespace weir::ingest {

/// runtime.isSystemGoroutine (src/runtime/traceback.go, go1.19–1.27), by the function a goroutine
/// began with. The finalizer and cleanup goroutines count as the user's own while they run user
/// code; parked in the runtime they are its own.
bool is_system_goroutine(const std::string& start_function, const std::string& wait_reason);

/// What was true of the process at the moment of the snapshot.
struct Moment {
  std::optional<Nanos>
      monotonic_now;  ///< the target's CLOCK_MONOTONIC, which the runtime's own times are on
  /// Registers of the stopped threads, by the number Go knows them by (m.procid: in the target's
  /// own pid namespace).
  std::map<int, target::Registers> registers;
  std::map<int, int> thread_ids;   ///< Go's number → weir's
  std::map<int, std::string> fds;  ///< fd → what it is for
};

/// Go's number of a stopped thread → its stack pointer; for gortime::Gatherer. `moment` must
/// outlive it.
std::function<std::optional<Address>(int)> stack_pointers_of(const Moment& moment);

class SnapshotBuilder {
 public:
  /// All must outlive the builder. `memory` is read for type names only, which never change.
  SnapshotBuilder(const gortime::Program& program, target::Memory& memory, const Moment& moment);

  /// Goroutines that are alive, ascending by id.
  std::vector<model::Goroutine> build(const std::vector<gortime::GoroutineState>& states);

  /// One goroutine in brief.
  CensusEntry census_entry(const gortime::GoroutineState& state);

  const Notes& notes() const { return notes_; }

 private:
  struct PcsHash {
    std::size_t operator()(const std::vector<gortime::UnwindFrame>& frames) const noexcept;
  };

  model::Goroutine build_one(const gortime::GoroutineState& state);
  model::SharedStack stack_of(const gortime::GoroutineState& state, bool& truncated);
  std::optional<gortime::UnwindStart> start_of(const gortime::GoroutineState& state);
  model::SharedStack symbolise(const std::vector<gortime::UnwindFrame>& frames);
  const model::Stack& frames_at(const gortime::UnwindFrame& frame);
  model::Creation creation_of(const gortime::GoroutineState& state);
  std::vector<model::Ancestor> ancestors_of(const gortime::GoroutineState& state);
  std::string wait_reason_of(const gortime::GoroutineState& state) const;
  std::string type_name(Address type);
  std::string function_at(Address pc);

  const gortime::Program& program_;
  target::Memory& memory_;
  const Moment& moment_;
  gortime::Unwinder unwinder_;
  BlockingContext blocking_;
  Notes notes_;
  std::unordered_map<std::vector<gortime::UnwindFrame>, model::SharedStack, PcsHash> stacks_;
  std::unordered_map<Address, model::Stack> frames_exact_, frames_call_;
  std::unordered_map<Address, std::string> types_, functions_;
  std::unordered_map<Address, model::Creation> creations_;
};

}  // namespace weir::ingest
