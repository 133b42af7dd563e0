#pragma once
// A proof of leaks with the snapshot it is about, and what is asked of it.
#include <cstdint>
#include <vector>

#include "weir/base/address.h"
#include "weir/gortime/reach.h"
#include "weir/model/proof.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

struct ProofOptions {
  Nanos max_stop{100'000'000};  ///< a copy that would stop the process for longer is refused
  std::uint64_t max_memory = std::uint64_t{4} << 30;  ///< of weir's own, for the copy of the heap
  unsigned without = 0;                               ///< gortime::ReachOptions::without
  std::vector<gortime::MemoryRange> own_memory = {};  ///< gortime::ReachOptions::own_memory
};

/// A snapshot with a proof, of one instant.
struct Proven {
  model::Snapshot snapshot;
  model::Proof proof;
};

}  // namespace weir::ingest
