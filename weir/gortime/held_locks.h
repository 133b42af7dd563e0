#pragma once
// Which locks a function holds at a point of its code: the calls of Lock and Unlock in it, followed
// along the ways through it. Go records no owner of a Mutex; this is a strong hint, no proof.
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "weir/bytes/cursor.h"
#include "weir/elf/file.h"
#include "weir/gosym/table.h"

namespace weir::gortime {

enum class LockKind : std::uint8_t { mutex, rwmutex_lock, rwmutex_rlock };

/// A word of a function's frame that has an address, less `plus`.
struct KeptAddress {
  std::int64_t slot = 0;  ///< from the stack pointer; while code is read, from the return address
  std::uint64_t plus = 0;

  bool operator==(const KeptAddress&) const = default;
};

/// A call of Lock, RLock, Unlock or RUnlock, or what is left of one that was inlined: the atomic
/// instruction of its fast path.
struct LockCall {
  LockKind kind = LockKind::mutex;
  bool takes = false;               ///< Lock or RLock; false: it gives back
  LinkAddr at;                      ///< the instruction
  LinkAddr fixed;                   ///< the Mutex or RWMutex, where it is a variable; 0 otherwise
  gosym::SourceLine line;           ///< of the call
  std::optional<KeptAddress> kept;  ///< the Mutex or RWMutex, where it isn't a variable
};

/// What an instruction does to locks, and whether the code goes on after it (a panic does not).
struct LockStep {
  std::optional<LockCall> call;
  bool returns = true;
};

/// Of the instruction at `at`; `called` is where it goes if it is a CALL, 0 if it is atomic.
using FindLockStep = std::function<LockStep(LinkAddr at, LinkAddr called)>;

/// How far the stack pointer is below the return address at an instruction, in bytes.
using FrameDepth = std::function<std::int32_t(LinkAddr at)>;

/// The locks taken and not given back on every way from the start of `text` to the instruction that
/// holds `pc`, in the order taken; that instruction itself is left out. Ways through jump tables
/// are not seen: what only they lead to holds nothing. amd64 only: empty for other machines.
std::vector<LockCall> follow_locks(bytes::Bytes text, LinkAddr start, LinkAddr pc,
                                   elf::Machine machine, const FindLockStep& find,
                                   const FrameDepth& depth);

/// The same of a function of a Go program, for a `pc` as Table takes it: a return address minus
/// one. A lock that is just being waited for at `pc` is not held.
std::vector<LockCall> find_held_locks(const elf::File& file, const gosym::Table& table,
                                      const gosym::Function& function, LinkAddr pc);

}  // namespace weir::gortime
