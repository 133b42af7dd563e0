#pragma once
// CensusEntry: one goroutine as a cheap, racing look shows it.
#include <cstdint>
#include <string>

#include "weir/base/address.h"
#include "weir/model/snapshot.h"

namespace weir::ingest {

/// One goroutine of a census(): enough to tell who is there and who moved.
struct CensusEntry {
  Goid id;
  model::Status status = model::Status::unknown;
  std::string wait_reason;  ///< Go's words; empty unless waiting
  std::string start_function;
  Goid parent;  ///< 0 before go1.21
  bool system = false;
  std::uint64_t parked_as = 0;  ///< as in model::Goroutine
};

}  // namespace weir::ingest
