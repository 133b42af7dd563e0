#pragma once
// Globals: the run-time addresses of the Go runtime's own variables, found without a symbol table
// by the instructions that use them.
#include <optional>
#include <string>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/base/notes.h"
#include "weir/gortime/layout.h"

namespace weir::elf {
class File;
}
namespace weir::gosym {
class Table;
}

namespace weir::gortime {

/// Addresses of variables (not their values) in the running program. 0: not found, which only the
/// ones marked optional may be.
struct Globals {
  Address allglen;                      ///< uintptr; read it before allgptr
  Address allgptr;                      ///< **g: allglen pointers
  Address allm;                         ///< *m, linked by m.alllink
  Address allp;                         ///< []*p
  Address sched;                        ///< schedt
  Address semtable;                     ///< Layout::SemaRoot::count roots
  Address wait_reason_strings;          ///< [n]string, by g.waitreason
  std::uint32_t wait_reason_count = 0;  ///< n, from the bounds check before its use
  Address traceback_ancestors;          ///< optional: int32 debug.tracebackancestors
  Address mheap;                        ///< optional: runtime.mheap_, an mheap
  Address allfin;                       ///< optional: *finBlock, linked by alllink
  Address gc_cleanups;                  ///< optional: runtime.gcCleanups, a cleanupQueue; 1.25+
  Address persistent_chunks;            ///< optional, amd64: *chunk, linked by their first words
  Address vdso_clock_gettime;           ///< optional: uintptr runtime.vdsoClockgettimeSym
  Address panicking;  ///< optional: u32 runtime.panicking, not 0 once the program is dying
};

/// Finds them by decoding the runtime functions that use them (docs/go-runtime.md has the list).
/// Works on stripped and position-independent programs. Optional ones that are not found are noted.
/// Errors: not_found (which variable, in which function), unsupported (architecture).
Result<Globals> locate_globals(const elf::File& file, const gosym::Table& table, LoadBias bias,
                               const Layout& layout, Notes& notes);

}  // namespace weir::gortime
