#include "weir/target/injection.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#ifndef PTRACE_GETSIGMASK
#define PTRACE_GETSIGMASK 0x420a
#define PTRACE_SETSIGMASK 0x420b
#endif

namespace weir::target {

namespace {

tl::unexpected<Error> ptrace_failed(const char* what, int tid) {
  const int error = errno;
  return fail(error == ESRCH ? ErrorCode::gone : ErrorCode::io,
              std::string(what) + " thread " + std::to_string(tid), {}, error);
}

constexpr int syscall_stop = SIGTRAP | 0x80;
constexpr int most_stops = 64;

}  // namespace

Result<int> wait_for_stop(pid_t tid) {
  int status = 0;
  while (waitpid(tid, &status, __WALL) < 0) {
    if (errno != EINTR) return ptrace_failed("waiting for", tid);
  }
  if (!WIFSTOPPED(status))
    return fail(ErrorCode::gone, "thread " + std::to_string(tid) + " has ended");
  return status;
}

#if defined(__x86_64__)

namespace {

constexpr std::size_t red_zone = 256;
constexpr std::size_t legacy_size = 512;
constexpr std::size_t header_size = 64;
constexpr std::size_t software_bytes = 464;  // struct _fpx_sw_bytes in the legacy area
constexpr std::uint32_t magic1 = 0x46505853, magic2 = 0x46505845;

/// struct rt_sigframe up to and with the signal mask; siginfo is not looked at by the kernel.
struct SignalFrame {
  std::uint64_t return_to;
  std::uint64_t flags, link;  // struct ucontext from here
  std::uint64_t stack_pointer, stack_flags, stack_size;
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, rflags;
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t error, trap, old_mask, cr2;
  std::uint64_t fp_state;
  std::uint64_t reserved[8];
  std::uint64_t mask;
};
static_assert(offsetof(SignalFrame, r8) == 48);
static_assert(offsetof(SignalFrame, mask) == 304);

/// What the kernel would do with an interrupted system call, had it not been for us: it starts
/// again, or says EINTR. (arch_do_signal_or_restart, arch/x86/kernel/signal.c)
void finish_interrupted_call(const user_regs_struct& of, SignalFrame& frame) {
  if (static_cast<std::int64_t>(of.orig_rax) < 0) return;
  constexpr std::int64_t restart_sys = -512, no_intr = -513, no_hand = -514, block = -516;
  const auto result = static_cast<std::int64_t>(of.rax);
  if (result == restart_sys || result == no_intr || result == no_hand) {
    frame.ax = of.orig_rax;
    frame.ip -= 2;
  } else if (result == block) {
    frame.ax = static_cast<std::uint64_t>(-EINTR);
  }
}

SignalFrame frame_of(const user_regs_struct& of, std::uint64_t mask) {
  constexpr std::uint64_t flags =
      1 | 2 | 4;  // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
  constexpr std::uint64_t no_such_mode = 0x7f;  // sigaltstack refuses it, and leaves the old one
  SignalFrame frame{};
  frame.flags = flags;
  frame.stack_flags = no_such_mode;
  frame.r8 = of.r8, frame.r9 = of.r9, frame.r10 = of.r10, frame.r11 = of.r11;
  frame.r12 = of.r12, frame.r13 = of.r13, frame.r14 = of.r14, frame.r15 = of.r15;
  frame.di = of.rdi, frame.si = of.rsi, frame.bp = of.rbp, frame.bx = of.rbx;
  frame.dx = of.rdx, frame.ax = of.rax, frame.cx = of.rcx, frame.sp = of.rsp;
  frame.ip = of.rip, frame.rflags = of.eflags;
  frame.cs = static_cast<std::uint16_t>(of.cs), frame.ss = static_cast<std::uint16_t>(of.ss);
  frame.gs = 0, frame.fs = 0;
  frame.mask = mask;
  finish_interrupted_call(of, frame);
  return frame;
}

template <class T>
void put(std::vector<std::byte>& into, std::size_t at, const T& value) {
  std::memcpy(into.data() + at, &value, sizeof value);
}

/// Where the last of these parts of an XSAVE area ends (CPUID 0xd), the standard form's header at
/// least. Nothing if the processor does not say.
std::optional<std::size_t> used_size(std::uint64_t features) {
  std::size_t size = legacy_size + header_size;
  for (unsigned feature = 2; feature < 64; ++feature) {
    if ((features >> feature & 1) == 0) continue;
    unsigned part = 0, offset = 0, flags = 0, unused = 0;
    if (__get_cpuid_count(0xd, feature, &part, &offset, &flags, &unused) == 0 || part == 0)
      return {};
    size = std::max<std::size_t>(size, std::size_t{offset} + part);
  }
  return size;
}

/// The vector registers as a signal frame has them. Only up to the last part in use: the kernel
/// takes what is larger than the thread may use (with AMX, which needs a permission, always) for no
/// such state, and restores 16 bytes of each register (check_xstate_in_sigframe,
/// arch/x86/kernel/fpu/signal.c).
Result<std::vector<std::byte>> vector_state(int tid) {
  std::vector<std::byte> state(64 << 10);
  iovec into{state.data(), state.size()};
  if (ptrace(PTRACE_GETREGSET, tid, reinterpret_cast<void*>(NT_X86_XSTATE), &into) != 0)
    return ptrace_failed("reading the vector registers of", tid);
  if (into.iov_len < legacy_size + header_size)
    return fail(ErrorCode::unsupported, "the machine has no XSAVE");
  std::uint64_t features = 0, in_use = 0;
  std::memcpy(&features, state.data() + software_bytes, sizeof features);  // XCR0, put there
  std::memcpy(&in_use, state.data() + legacy_size, sizeof in_use);         // XSTATE_BV
  const auto size = used_size(in_use);
  if (!size || *size > into.iov_len)
    return fail(ErrorCode::unsupported, "vector registers that weir does not know are in use");
  state.resize(*size + 4);
  put(state, software_bytes, magic1);
  put(state, software_bytes + 4, static_cast<std::uint32_t>(*size + 4));
  put(state, software_bytes + 8, features);
  put(state, software_bytes + 16, static_cast<std::uint32_t>(*size));
  put(state, *size, magic2);
  return state;
}

}  // namespace

Result<Injection> Injection::prepare(int pid, const InjectionSite& site) {
  Injection injection(pid, site);
  if (ptrace(PTRACE_GETREGS, site.tid, nullptr, &injection.registers_) != 0)
    return ptrace_failed("reading the registers of", site.tid);
  if (ptrace(PTRACE_GETSIGMASK, site.tid, sizeof injection.mask_, &injection.mask_) != 0)
    return ptrace_failed("reading the signal mask of", site.tid);
  WEIR_TRY_VOID(injection.write_frame());
  return injection;
}

Result<void> Injection::write_frame() {
  WEIR_TRY(const std::vector<std::byte> vectors, vector_state(site_.tid));
  // From low to high: [pop_return, what it pops], frame, vector registers.
  const std::uint64_t before = 8 + site_.pop_size;
  const std::uint64_t fp_offset = (before + sizeof(SignalFrame) + 128 + 63) & ~std::uint64_t{63};
  const std::uint64_t size = fp_offset + vectors.size();
  if (site_.pop_size < 48 || size + red_zone + 64 > site_.scratch_size)
    return fail(ErrorCode::unsupported, "the scratch memory for a system call is too small");
  const Address base{(site_.scratch.value + site_.scratch_size - size - red_zone) &
                     ~std::uint64_t{63}};
  std::vector<std::byte> bytes(size);
  SignalFrame frame = frame_of(registers_, mask_);
  frame.return_to = site_.signal_return.value;
  frame.fp_state = (base + fp_offset).value;
  put(bytes, 0, site_.pop_return.value);
  put(bytes, before, frame);
  std::memcpy(bytes.data() + fp_offset, vectors.data(), vectors.size());
  const iovec from{bytes.data(), bytes.size()};
  const iovec to{reinterpret_cast<void*>(base.value), bytes.size()};
  if (process_vm_writev(pid_, &from, 1, &to, 1, 0) != static_cast<ssize_t>(bytes.size()))
    return fail(ErrorCode::io, "cannot write the scratch memory", base, errno);
  frame_ = base;
  return {};
}

Result<void> Injection::begin(std::uint64_t number, const std::uint64_t (&arguments)[6]) {
  user_regs_struct injected = registers_;
  injected.rip = site_.system_call.value;
  injected.rsp = frame_.value;
  injected.orig_rax = static_cast<unsigned long long>(-1);  // nothing to start again
  injected.rax = number;
  injected.rdi = arguments[0];
  injected.rsi = arguments[1] != 0 ? arguments[1] : (frame_ - red_zone / 2).value;
  injected.rdx = arguments[2];
  injected.r10 = arguments[3];
  injected.r8 = arguments[4];
  injected.r9 = arguments[5];
  injected.r12 = site_.child_exit.value;
  injected.r13 = 0;
  injected.eflags &= ~0x500ULL;  // no single step, strings upwards
  if (ptrace(PTRACE_SETREGS, site_.tid, nullptr, &injected) != 0)
    return ptrace_failed("setting the registers of", site_.tid);
  return {};
}

Result<Injection::Outcome> Injection::call(std::uint64_t number,
                                           const std::uint64_t (&arguments)[6]) {
  const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD;
  if (ptrace(PTRACE_SETOPTIONS, site_.tid, nullptr, options) != 0)
    return ptrace_failed("setting the options of", site_.tid);
  WEIR_TRY_VOID(begin(number, arguments));
  Outcome outcome;
  const std::uint64_t all = ~std::uint64_t{0};
  // After the registers: should weir end between the two, rt_sigreturn restores the mask.
  Result<void> done;
  if (ptrace(PTRACE_SETSIGMASK, site_.tid, sizeof all, &all) != 0)
    done = ptrace_failed("masking the signals of", site_.tid);
  else
    done = run(outcome);
  auto restored = restore();
  if (!done) return fail(std::move(done).error());
  if (!restored) return fail(std::move(restored).error());
  return outcome;
}

/// The next stop that is not one for a signal or a stop of the whole process.
Result<int> Injection::next_stop() {
  for (int i = 0; i < most_stops; ++i) {
    if (ptrace(PTRACE_SYSCALL, site_.tid, nullptr, nullptr) != 0)
      return ptrace_failed("running", site_.tid);
    WEIR_TRY(const int status, wait_for_stop(site_.tid));
    if (status >> 16 == PTRACE_EVENT_STOP) continue;
    const int signal = WSTOPSIG(status);
    if (signal == syscall_stop || status >> 16 != 0) return status;
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGTRAP)
      return fail(ErrorCode::io, "the injected code did not run: signal " + std::to_string(signal));
    pending_signal_ = signal;
  }
  return fail(ErrorCode::limit, "the thread to make a system call is stopped again and again");
}

Result<void> Injection::run(Outcome& outcome) {
  WEIR_TRY(int status, next_stop());
  if (WSTOPSIG(status) != syscall_stop)
    return fail(ErrorCode::io, "no entry into the injected system call");
  WEIR_TRY(status, next_stop());
  if (status >> 16 == PTRACE_EVENT_CLONE) {
    unsigned long child = 0;
    if (ptrace(PTRACE_GETEVENTMSG, site_.tid, nullptr, &child) == 0)
      outcome.child = static_cast<pid_t>(child);
    WEIR_TRY(status, next_stop());
  }
  if (WSTOPSIG(status) != syscall_stop)
    return fail(ErrorCode::io, "no return from the injected system call");
  user_regs_struct after{};
  if (ptrace(PTRACE_GETREGS, site_.tid, nullptr, &after) != 0)
    return ptrace_failed("reading the registers of", site_.tid);
  outcome.result = static_cast<std::int64_t>(after.rax);
  return {};
}

/// Back to a stop for PTRACE_INTERRUPT first: only there does the kernel look at a system call
/// that is to be started again.
Result<void> Injection::restore() {
  ptrace(PTRACE_INTERRUPT, site_.tid, nullptr, nullptr);
  for (int i = 0; i < most_stops; ++i) {
    if (ptrace(PTRACE_CONT, site_.tid, nullptr, nullptr) != 0)
      return ptrace_failed("running", site_.tid);
    WEIR_TRY(const int status, wait_for_stop(site_.tid));
    if (status >> 16 == PTRACE_EVENT_STOP) break;
    if (status >> 16 == 0 && WSTOPSIG(status) != syscall_stop) pending_signal_ = WSTOPSIG(status);
    if (i + 1 == most_stops)
      return fail(ErrorCode::limit, "the thread that made a system call does not stand still");
  }
  // The mask first: with the true registers and all signals masked it must never be let go.
  ptrace(PTRACE_SETSIGMASK, site_.tid, sizeof mask_, &mask_);
  if (ptrace(PTRACE_SETREGS, site_.tid, nullptr, &registers_) != 0)
    return ptrace_failed("restoring the registers of", site_.tid);
  ptrace(PTRACE_SETOPTIONS, site_.tid, nullptr, nullptr);
  return {};
}

#else

Result<Injection> Injection::prepare(int, const InjectionSite&) {
  return fail(ErrorCode::unsupported, "system calls are injected on amd64 only");
}
Result<Injection::Outcome> Injection::call(std::uint64_t, const std::uint64_t (&)[6]) {
  return fail(ErrorCode::unsupported, "system calls are injected on amd64 only");
}
Result<void> Injection::begin(std::uint64_t, const std::uint64_t (&)[6]) {
  return fail(ErrorCode::unsupported, "system calls are injected on amd64 only");
}

#endif

}  // namespace weir::target
