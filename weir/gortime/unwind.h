#pragma once
// Unwinder: the physical frames of a goroutine from a copy of its stack, the way the runtime itself
// walks it. Source of truth: runtime.(*unwinder), src/runtime/traceback.go, go1.21–1.27;
// runtime.gentraceback, go1.19–1.20.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/address.h"
#include "weir/elf/file.h"
#include "weir/gosym/table.h"

namespace weir::gortime {

/// Words copied from a stack: words[i] was at `at` + 8·i.
struct StackWords {
  Address at;
  std::span<const std::uint64_t> words;

  std::optional<std::uint64_t> find(Address address) const {
    if (address < at || (address - at) % 8 != 0 || (address - at) / 8 >= words.size()) return {};
    return words[(address - at) / 8];
  }
};

struct UnwindStart {
  Address pc;
  Address sp;
  Address link;          ///< arm64: the link register if pc is from a stopped thread
  bool exact = false;    ///< pc is an interrupted instruction, not a return address
  bool syscall = false;  ///< pc and sp were saved by entersyscall, or calls_vdso(): the innermost
                         ///< function may be one that writes to SP
};

/// Assembly that switches to the system stack for a call of the vDSO and back: written to SP like
/// what cannot be unwound, but while SP is on the goroutine's own stack, its frame is as the tables
/// say. src/runtime/sys_linux_amd64.s, time_linux_amd64.s, sys_linux_arm64.s, go1.19–1.27.
bool calls_vdso(std::string_view function);

/// One physical function on the stack.
struct UnwindFrame {
  Address pc;
  bool exact = false;  ///< look pc up as it is; otherwise it is a return address and pc - 1 belongs
                       ///< to the call

  bool operator==(const UnwindFrame&) const = default;
};

enum class UnwindEnd : std::uint8_t {
  top,       ///< reached the goroutine's first function: the stack is whole
  no_code,   ///< a return address that belongs to no Go function (C code, or garbage)
  switched,  ///< a function that switches stacks in a way only itself knows (FuncFlag SPWRITE)
  cut,       ///< the copy of the stack ends
  limit,     ///< more frames than asked for
};

struct Unwound {
  std::vector<UnwindFrame> frames;  ///< innermost first
  std::vector<Address> bottoms;     ///< of each frame, the stack pointer at its pc
  UnwindEnd end = UnwindEnd::top;
};

/// Keeps a cache by pc: use one for many goroutines. Not thread-safe.
class Unwinder {
 public:
  /// `table` must outlive it.
  Unwinder(const gosym::Table& table, LoadBias bias, elf::Machine machine)
      : table_(table), bias_(bias), arm64_(machine == elf::Machine::arm64) {}

  Unwound unwind(const StackWords& stack, const UnwindStart& start, std::size_t max_frames);

 private:
  struct PcFacts {
    bool found = false;
    bool has_frame_info = false;
    Address entry;
    std::int32_t sp_delta = 0;
    gosym::FuncId id = gosym::FuncId::normal;
    gosym::FuncFlags flags;
  };
  const PcFacts& facts_at(Address pc);

  const gosym::Table& table_;
  LoadBias bias_;
  bool arm64_;
  std::unordered_map<Address, PcFacts> cache_;
};

}  // namespace weir::gortime
