#include "weir/target/registers.h"

#include <sys/user.h>

#include <cstddef>

namespace weir::target {

#if defined(__x86_64__)
Registers to_registers(const user_regs_struct& raw) {
  Registers out;
  out.arch = Arch::amd64;
  out.pc = {raw.rip};
  out.sp = {raw.rsp};
  out.frame = {raw.rbp};
  out.tls = {raw.fs_base};
  out.flags = raw.eflags;
  out.syscall = static_cast<std::int64_t>(raw.orig_rax);
  const std::uint64_t general[] = {raw.rax, raw.rdx, raw.rcx, raw.rbx, raw.rsi, raw.rdi,
                                   raw.rbp, raw.rsp, raw.r8,  raw.r9,  raw.r10, raw.r11,
                                   raw.r12, raw.r13, raw.r14, raw.r15};
  for (std::size_t i = 0; i < std::size(general); ++i) out.general[i] = general[i];
  return out;
}
#else
Registers to_registers(const user_regs_struct& raw) {
  Registers out;
  out.arch = Arch::arm64;
  out.pc = {raw.pc};
  out.sp = {raw.sp};
  out.frame = {raw.regs[29]};
  out.link = {raw.regs[30]};
  out.flags = raw.pstate;
  for (std::size_t i = 0; i < 31; ++i) out.general[i] = raw.regs[i];
  return out;
}
#endif

}  // namespace weir::target
