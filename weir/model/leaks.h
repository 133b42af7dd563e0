#pragma once
// Leaks that a Go program's own runtime has found: its goroutineleak profile.
#include <cstdint>
#include <vector>

#include "weir/base/notes.h"
#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::model {

/// Leaked goroutines with one fingerprint.
struct RuntimeLeak {
  Fingerprint fingerprint;
  std::uint64_t count = 0;
  Goroutine exemplar;  ///< of a profile: no id, and nothing of what it waits for but the stack
};

struct RuntimeLeaks {
  Source source;
  std::vector<RuntimeLeak> leaks;  ///< most goroutines first
  Notes notes;

  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const RuntimeLeak& leak : leaks) sum += leak.count;
    return sum;
  }
};

}  // namespace weir::model
