#pragma once
// The states of a goroutine as words. g.atomicstatus, src/runtime/runtime2.go, go1.19–1.27.
#include <cstdint>
#include <string_view>

namespace weir::sched {

constexpr std::uint32_t scan_bit = 0x1000;   ///< _Gscan: the garbage collector looks at its stack
constexpr std::uint32_t status_waiting = 4;  ///< _Gwaiting

/// Empty for a goroutine that is dead or only being made. Without scan_bit.
std::string_view state_word(std::uint32_t status);

}  // namespace weir::sched
