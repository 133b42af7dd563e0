#pragma once
// Reachability: which blocked goroutines nothing that lives can ever wake. The argument for why a
// goroutine found so is leaked indeed is in docs/decisions/0007-leak-proof.md.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/gortime/program.h"
#include "weir/target/memory.h"
#include "weir/target/registers.h"

namespace weir::gortime {

/// A thread of the program at the instant of the memory.
struct ReachThread {
  int go_id = 0;  ///< its number in its own pid namespace: m.procid
  target::Registers registers;
  std::vector<std::uint64_t> vectors;  ///< words of its vector registers, if outside a system call
};

/// [start, end)
struct MemoryRange {
  Address start, end;
};

/// From where a live part of the program reaches memory.
enum class RootKind : std::uint8_t {
  global,        ///< a word of a package's variables
  goroutine,     ///< the stack of a goroutine that can go on, or its runtime.g
  registers,     ///< of a thread
  system_stack,  ///< a thread's stack for the runtime's own code or for signals
  timer,         ///< a pending timer
  finalizer,     ///< a finalizer or cleanup that is set, or waits to be run
  weak,          ///< a weak pointer
  pinned,        ///< runtime.Pinner
  foreign,       ///< memory of C code
};

struct ReachRoot {
  RootKind kind = RootKind::global;
  Address at;      ///< where the word is; 0 for registers
  Goid goroutine;  ///< of kind goroutine
  int thread = 0;  ///< go_id, of kinds registers and system_stack
};

struct ReachObject {
  Address start;
  std::uint64_t size = 0;
};

enum class ReachVerdict : std::uint8_t {
  proved,          ///< nothing that can go on reaches what it waits for
  held,            ///< something does, or may
  not_applicable,  ///< it doesn't wait on anything that this is about
};

struct ReachGoroutine {
  Goid id;
  ReachVerdict verdict = ReachVerdict::not_applicable;
  std::string_view because;       ///< a clause; of static storage
  std::optional<ReachRoot> root;  ///< held: from where
  std::vector<ReachObject> path;  ///< held: from the root to the object that is waited on
};

struct ReachReport {
  std::vector<ReachGoroutine> goroutines;  ///< alive ones that are not the runtime's own
  std::size_t spans = 0, objects_marked = 0;
  std::uint64_t scanned_bytes = 0;
};

struct ReachOptions {
  std::uint64_t max_memory = std::uint64_t{4} << 30;
  bool recorded = false;                ///< `memory` keeps what is read, packed: that counts, too
  std::vector<MemoryRange> own_memory;  ///< what weir put into the process; ascending
  /// For tests that show what each kind of root is there for: bits 1 << RootKind.
  unsigned without = 0;
};

/// `memory` must be frozen, `program` prepared, and `threads` all of the process. An error means
/// that nothing is proved: unsupported (a Go version, experiment or feature for which the argument
/// was not made), limit (memory), invalid and those of reading (something contradicts what weir
/// knows of the runtime); `what` fits behind "nothing is proved, because".
Result<ReachReport> find_unreachable(const Program& program, target::Memory& memory,
                                     std::span<const ReachThread> threads,
                                     const ReachOptions& options = {});

}  // namespace weir::gortime
