#pragma once
// Time by stack: what a profile of a trace is made of.
#include <cstdint>

namespace weir::model {

struct TraceStackTotal {
  std::uint32_t stack = 0;  ///< of TraceNames
  std::uint64_t count = 0;
  std::uint64_t nanos = 0;
};

/// The four profiles that `go tool trace -pprof` makes.
enum class TraceProfile : std::uint8_t { sched, sync, net, syscall };

}  // namespace weir::model
