#pragma once
// From a .weir recording to the Snapshot it was taken with, and the other way round.
#include <string>

#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/gortime/reach.h"
#include "weir/ingest/proven.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/model/snapshot.h"
#include "weir/target/recording.h"

namespace weir::ingest {

/// Decodes a recording with the code that decodes a live process: same bytes, same Snapshot, but
/// for the source's kind and name. Needs neither the process nor Go. Errors: those of
/// target::read_recording and gortime::Program::open. Move the recording in where it is not needed
/// again: it may hold a whole heap.
Result<model::Snapshot> read_recording(const std::string& path);
Result<model::Snapshot> decode_recording(target::Recording recording, const std::string& name);

/// The same with a proof of leaks. A recording that was not made for one (Recording::for_proof)
/// proves nothing, and says so. `memory` is the recording's own, or one that stands in its place.
Result<Proven> read_recording_proof(const std::string& path, const ProofOptions& options);
Result<Proven> decode_recording_proof(const target::Recording& recording, target::Memory& memory,
                                      const std::string& name, const ProofOptions& options);

/// Marks the recording as one for a proof, whose threads `threads` are.
void keep_vectors(target::Recording& recording, const std::vector<gortime::ReachThread>& threads);

/// Puts into `recording` what decode_recording() will need: facts, registers, file descriptors, the
/// pages of the executable that were looked at. Memory is the caller's to add.
void keep_moment(target::Recording& recording, const gortime::Program& program,
                 const Moment& moment, const model::Snapshot& snapshot,
                 const target::ProcessFacts& facts, const bytes::PageSet& touched);

}  // namespace weir::ingest
