#pragma once
// Where a snapshot comes from: a process, a program to start, a core, a recording.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/ingest/core.h"
#include "weir/ingest/live.h"
#include "weir/model/snapshot.h"

namespace weir::app {

struct DumpOptions {
  ingest::LiveOptions live;
  ingest::CoreOptions core;
  std::string recording;       ///< where to write one; empty: nowhere
  bool for_proof = false;      ///< a recording with what a proof needs
  ingest::ProofOptions proof;  ///< of prove_source(), and with for_proof
  Nanos after{1'000'000'000};  ///< how long a started program runs before the look
};

/// A process by its number, or else a core or a recording by its path. Errors: not_found (neither),
/// those of LiveReader, read_core and read_recording.
Result<model::Snapshot> dump_source(const std::string& name, const DumpOptions& options);

/// The same with a proof of leaks; whatever stands in its way is in Proof::refused.
Result<ingest::Proven> prove_source(const std::string& name, const DumpOptions& options);

/// Where `name` is a process: sees, a moment later, which of the snapshot's goroutines have run
/// since. A note says why not.
void look_again(const std::string& name, model::Snapshot& snapshot);

/// Starts the program, looks at it once, and ends it (SIGTERM, then SIGKILL). Its output is its
/// own. Errors: gone (it ended before the look), io, those of LiveReader.
Result<model::Snapshot> dump_program(const std::vector<std::string>& argv,
                                     const DumpOptions& options);

}  // namespace weir::app
