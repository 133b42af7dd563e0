#pragma once
// This process's standard error while a child has it: what the child writes passes through, and is
// read on its way.
#include <memory>
#include <optional>

#include "weir/base/error.h"
#include "weir/ingest/schedtrace.h"
#include "weir/model/gate.h"

namespace weir::app {

class ErrorStream {
 public:
  struct Seen {
    ingest::SchedLines sched;  ///< the schedtrace lines; these do not pass through
    std::optional<model::PointerFault> fault;
  };

  /// From now on standard error is a pipe, until `close` or the end of the object. Errors: io.
  static Result<ErrorStream> open();
  ErrorStream(ErrorStream&&) noexcept;
  ErrorStream& operator=(ErrorStream&&) noexcept;
  ~ErrorStream();

  /// Puts standard error back. What the child left in the pipe is read; for a grandchild that keeps
  /// it open nobody waits. Errors: io.
  Result<Seen> close();

 private:
  struct State;
  explicit ErrorStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
