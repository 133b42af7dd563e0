#pragma once
// The virtual clock: a page in the process with the code and the counter that take the kernel's
// place, so that time only passes when the schedule says so.
#include <cstdint>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/sched/process.h"

namespace weir::sched {

inline constexpr std::uint64_t clock_size = 4096;
/// The counter in the page, in ns: what the monotonic clock shows.
inline constexpr std::uint64_t clock_counter_at = 256;
/// Each reading of the clock takes so long, for programs that wait by looking at it.
inline constexpr Nanos clock_step{50};

/// Maps the page at `page` and makes `vdso_clock_gettime` (runtime.vdsoClockgettimeSym) point at
/// it. The process stands before its first instruction, and must not see its vDSO
/// (fix_auxiliary_vector), which would overwrite that. Errors: io, gone, unmapped.
Result<void> install_clock(ControlledProcess& process, Address page, Address vdso_clock_gettime);

/// Before the first instruction: takes the vDSO out of the auxiliary vector, and fills the 16
/// random bytes that the kernel hands over (hash seeds, random numbers, from go1.26 the heap's
/// place).
Result<void> fix_auxiliary_vector(const ControlledProcess& process, std::uint64_t seed);

}  // namespace weir::sched
