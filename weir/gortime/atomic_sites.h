#pragma once
// AtomicSites: the instructions of compiled Go code that change memory atomically. The fast paths
// of sync.Mutex, RWMutex, WaitGroup and of sync/atomic are inlined into their callers, and these
// instructions are all that is left of them.
#include <array>
#include <cstdint>
#include <vector>

#include "weir/base/address.h"
#include "weir/bytes/cursor.h"
#include "weir/elf/file.h"

namespace weir::gortime {

/// One LOCK-prefixed instruction, or XCHG with memory.
struct AtomicSite {
  static constexpr std::uint8_t no_register = 0xff;

  LinkAddr at;
  std::uint8_t size = 0;  ///< bytes
  // The word it changes: base + index * scale + displacement, or `fixed` where that is not 0.
  std::uint8_t base = no_register;   ///< DWARF register number (target/registers.h)
  std::uint8_t index = no_register;  ///< likewise
  std::uint8_t scale = 0;
  std::int64_t displacement = 0;
  LinkAddr fixed;  ///< RIP-relative

  /// The run-time address of the word. `general` as in target::Registers.
  Address operand(const std::array<std::uint64_t, 31>& general, LoadBias bias) const;
};

/// All of them in the code `text` at `start`, ascending. Bytes that are no instruction end the
/// list. amd64 only: empty for other machines.
std::vector<AtomicSite> find_atomic_sites(bytes::Bytes text, LinkAddr start, elf::Machine machine);

/// A call of a function that the instruction names.
struct CallSite {
  LinkAddr at;
  LinkAddr target;
};

/// Likewise, all such calls. In programs built with -race sync/atomic is not compiled into its
/// callers: they call it.
std::vector<CallSite> find_calls(bytes::Bytes text, LinkAddr start, elf::Machine machine);

}  // namespace weir::gortime
