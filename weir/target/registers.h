#pragma once
// Registers: what a stopped thread's registers held, the same shape for every architecture.
#include <array>
#include <cstdint>

#include "weir/base/address.h"

struct user_regs_struct;

namespace weir::target {

enum class Arch : std::uint8_t { amd64, arm64 };

/// The architecture weir itself was built for, which is that of every live target.
#if defined(__x86_64__)
inline constexpr Arch host_arch = Arch::amd64;
#elif defined(__aarch64__)
inline constexpr Arch host_arch = Arch::arm64;
#else
#error "weir reads live processes on amd64 and arm64 only"
#endif

/// Integer registers of one thread. Names that the architecture lacks are 0.
struct Registers {
  Arch arch = host_arch;
  Address pc;
  Address sp;
  Address frame;  ///< amd64 RBP, arm64 X29
  Address link;   ///< arm64 X30
  Address tls;    ///< amd64 FS base; 0 on arm64 (TPIDR_EL0 is in another register set)
  std::uint64_t flags = 0;
  /// amd64: the number of the system call the thread is in or comes from, -1 outside one
  /// (orig_rax). arm64: always -1.
  std::int64_t syscall = -1;
  /// By DWARF number. amd64: rax rdx rcx rbx rsi rdi rbp rsp r8 … r15 (16 of them); arm64: x0 …
  /// x30.
  std::array<std::uint64_t, 31> general{};

  bool operator==(const Registers&) const = default;
};

/// What PTRACE_GETREGS or NT_PRSTATUS gives on the host's architecture.
Registers to_registers(const user_regs_struct& raw);

}  // namespace weir::target
