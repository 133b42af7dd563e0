#pragma once
// From the raw wait of a goroutine to model::Blocking: which object it is, and what kind.
#include <functional>
#include <optional>
#include <string>

#include "weir/gortime/goroutine.h"
#include "weir/gortime/layout.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

/// What blocking_of() asks of its surroundings.
struct BlockingContext {
  const gortime::Layout* layout = nullptr;
  /// Go type at a run-time address → its name; empty when unreadable.
  std::function<std::string(Address)> type_name;
  /// fd → what it is for ("tcp 127.0.0.1:80 -> …"); empty when unknown.
  std::function<std::string(int)> fd_target;
  /// The target's monotonic clock at the moment of the snapshot; nothing if unknown (a core).
  std::optional<Nanos> monotonic_now;
};

/// What the goroutine waits on; nothing unless it is waiting for something a program can name.
/// `stack` (innermost first) tells a Mutex from a RWMutex from a WaitGroup, which all wait on a
/// bare semaphore word (sync/*.go).
std::optional<model::Blocking> blocking_of(const gortime::GoroutineState& state,
                                           const std::string& wait_reason,
                                           const model::Stack& stack,
                                           const BlockingContext& context);

}  // namespace weir::ingest
