#pragma once
// Hashes of runs: of every event (RunRecord::hash), and of the order of operations.
#include <cstdint>

#include "weir/sched/run.h"

namespace weir::sched {

/// FNV-1a over whole words.
class Hash {
 public:
  void mix(std::uint64_t value) { value_ = (value_ ^ value) * 0x100000001b3; }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

/// RunRecord::order_hash, from the rest of the record.
std::uint64_t order_hash(const RunRecord& record);

}  // namespace weir::sched
